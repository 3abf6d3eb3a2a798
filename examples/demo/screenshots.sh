#!/usr/bin/env bash
# Takes the pictures of docs/demo.md from the running demo, of the same events each time. Needs Debian's chromium and pngquant.
set -euo pipefail
cd "$(dirname "$0")/../.."

receiver=${RECEIVER:-localhost:28087}
ui=${UI:-localhost:29428}
work=$(mktemp -d)
columns=_time,_msg,event_name,jira.project.key,jira.issue.key,jira.issue.status.mapped
month='g0.range_input=28d&g0.end_input=2026-03-30T00:00:00&g0.relative_time=none'

bin/demo -receiver "$receiver" -ui "$ui" -- -seed 1 -start 2026-03-02T08:00:00Z -rate 200 -duration 4s > "$work/demo.log" &
demo=$!
trap 'kill -INT $demo; wait $demo; rm -rf "$work"' EXIT
until grep -q ' given up$' "$work/demo.log"; do # the summary
  kill -0 $demo
  sleep 1
done
sleep 2 # until VictoriaLogs finds what it has just got

# take NAME QUERY: Chromium's own complaints about the machine are of no interest.
take() {
  chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync --no-first-run \
    --user-data-dir="$work/profile" --hide-scrollbars --window-size=1280,860 --virtual-time-budget=10000 \
    --screenshot="$work/$1.png" \
    "http://$ui/select/vmui/#/?$month&limit=100&view=table&group_hits=event_name&columns=$columns&query=$2" 2> "$work/chromium.log" \
    || { cat "$work/chromium.log"; exit 1; }
  pngquant --force --strip --output "docs/images/$1.png" 64 "$work/$1.png"
}

mkdir -p docs/images
take demo-events '*'
take demo-issue 'jira.issue.key:=OPS-1'
take demo-status 'jira.project.key:=WEB jira.issue.status.mapped:=done event_name:=jira.issue.updated'
ls -l docs/images
