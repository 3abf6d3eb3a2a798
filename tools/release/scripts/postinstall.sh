#!/bin/sh
# Runs after an installation and after an upgrade of the deb, rpm or apk package. Each step keeps what exists.
set -e

if ! id otelcol-jira >/dev/null 2>&1; then
  if command -v useradd >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /var/lib/otelcol-jira --shell /usr/sbin/nologin otelcol-jira
  else # Alpine
    addgroup -S otelcol-jira
    adduser -S -D -H -h /var/lib/otelcol-jira -s /sbin/nologin -G otelcol-jira otelcol-jira
  fi
fi

install -d -m 0700 -o otelcol-jira -g otelcol-jira /var/lib/otelcol-jira

if [ ! -e /etc/otelcol-jira/environment ]; then
  secret=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && cat >/etc/otelcol-jira/environment) <<EOF
# Environment variables of the service. After a change, run: systemctl restart otelcol-jira

# The secret of the webhook in Jira. The installation of the package generated it.
JIRA_WEBHOOK_SECRET=$secret

# The address of the backend, for OTLP over HTTP. Until the backend answers, events wait in a queue on the disk.
#OTLP_ENDPOINT=http://localhost:4318

# The address on which the collector listens, without TLS.
#JIRA_ENDPOINT=localhost:8087
EOF
fi

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart otelcol-jira || :
fi
