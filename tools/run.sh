#!/bin/sh
# Runs the collector for `make run`: tools/run.sh bin/otelcol-jira --config examples/quickstart.yaml
#
# With this configuration, it hides the headings that the debug exporter prints for each event, so that an event is one
# line. When the collector is ready, it prints a hint.
case "$*" in *examples/quickstart.yaml*) short=yes ;; esac
tab=$(printf '\t')
time="????-??-??T??:??:??.???[Z+-]*$tab" # the time zone is Z or, for example, +0100

show() {
	while IFS= read -r line; do
		case $short$line in "yesLogs$tab{"* | 'yesResourceLog #'* | 'yesScopeLog #'* | yes) continue ;; esac
		printf '%s\n' "$line"
		case $line in # the exact form of the log, because events contain any text
		$time"info${tab}Waiting for Jira to post events$tab"*'"url": "'*)
			url=${line##*'"url": "'} url=${url%%'"'*} ;;
		$time"info${tab}Everything is ready."*)
			[ -z "$url" ] || hint ;;
		esac
	done
}

hint() {
	arguments=
	case $url in */localhost:8087/jira/events | */127.0.0.1:8087/jira/events) ;; *) arguments=" URL=$url" ;; esac
	[ -z "$JIRA_WEBHOOK_SECRET" ] || arguments="$arguments JIRA_WEBHOOK_SECRET=…"
	printf '\nNow try in a second terminal: make send%s\nCtrl-C stops the collector.\n\n' "$arguments"
}

# The collector takes the place of this process, so that it receives the signals. The loop ends after its last line.
directory=$(mktemp -d) && mkfifo "$directory/log" || exit
{ rm -r "$directory" && show; } <"$directory/log" &
exec "$@" >"$directory/log" 2>&1
