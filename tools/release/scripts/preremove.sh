#!/bin/sh
# Runs before the package is removed or upgraded. dpkg passes a word, rpm the number of versions that remain.
set -e

case "$1" in
  upgrade | failed-upgrade | deconfigure | 1) exit 0 ;; # postinstall.sh restarts the service
esac
if [ -d /run/systemd/system ]; then
  systemctl disable --now otelcol-jira || :
fi
