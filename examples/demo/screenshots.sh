#!/usr/bin/env bash
# Takes the pictures of docs/demo.md from the running demo, of the same team each time. Needs Debian's chromium and
# pngquant.
set -euo pipefail
cd "$(dirname "$0")/../.."

receiver=${RECEIVER:-localhost:28087}
ui=${UI:-localhost:29428}
work=$(mktemp -d)
columns=_time,_msg,event_name,jira.project.key,jira.issue.key,jira.issue.status.mapped
query="select/vmui/#/?g0.range_input=30d&g0.relative_time=last_30_days&limit=100&view=table&group_hits=event_name&columns=$columns&query="

bin/demo -receiver "$receiver" -ui "$ui" -- -seed 1 > "$work/demo.log" &
demo=$!
trap 'kill -INT $demo; wait $demo; rm -rf "$work"' EXIT
until grep -q 'reached the present' "$work/demo.log"; do
  kill -0 $demo
  sleep 1
done
sleep 15 # until the connector has found the stuck issues

# shoot NAME HEIGHT PAGE: Chromium's complaints about the machine do not matter. The time of the page runs for 3.5
# seconds, until before its first refresh.
shoot() {
  timeout 20 chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync --no-first-run \
    --user-data-dir="$work/profile" --hide-scrollbars --window-size="1280,$2" --virtual-time-budget=3500 \
    --screenshot="$work/$1.png" "http://$ui/$3" 2> "$work/chromium.log"
}

# take tries again, because Chromium sometimes waits for ever.
take() {
  shoot "$@" || shoot "$@" || shoot "$@" || { cat "$work/chromium.log"; exit 1; }
  pngquant --force --strip --output "docs/images/$1.png" 64 "$work/$1.png"
}

mkdir -p docs/images
take demo-events 860 events
take demo-board 710 board
take demo-stuck 690 stuck
take demo-times 530 times
take demo-issue 860 "${query}jira.issue.key:=OPS-1"
take demo-status 860 "${query}jira.project.key:=WEB jira.issue.status.mapped:=done event_name:=jira.issue.updated"
ls -l docs/images
