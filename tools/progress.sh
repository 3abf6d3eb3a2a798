#!/bin/sh
# Runs a command that prints the name of each package, such as go build -v, and prints their number instead:
# tools/progress.sh go build -v
{ "$@" 2>&1; echo "status $?"; } | {
	packages=0
	while IFS= read -r line; do
		case $line in
		'status '[0-9]*)
			[ ! -t 1 ] || [ $packages = 0 ] || echo
			exit "${line#status }" ;;
		'go: downloading '*) ;;
		*' '* | '') printf '%s\n' "$line" ;;
		*)
			packages=$((packages + 1))
			[ ! -t 1 ] || printf '\r%d packages compiled' $packages ;;
		esac
	done
}
