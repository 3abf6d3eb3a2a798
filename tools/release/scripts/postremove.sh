#!/bin/sh
# Runs after the package is removed. Only dpkg has a purge, which also removes the state and the secret.
set -e

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
fi
if [ "$1" = purge ]; then
  rm -rf /var/lib/otelcol-jira /etc/otelcol-jira/environment
fi
