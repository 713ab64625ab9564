#!/bin/bash
# `make accept`: Debian's own clients, unmodified, against our Local API, and its database taken over.
#
# crowdsec 1.4.6 (agent, cscli) and crowdsec-firewall-bouncer 0.0.25 run with configurations of their own in a network
# namespace that is removed afterwards; no service of the system is started or changed. Needs root.
# Environment: CROWD_BIN (our programs), CROWD_SHARED (the logs to replay, default ../shared).
# Exit: 0 all shown, 1 something differs; what cannot run here is skipped with the reason.
set -u
. "$(dirname "$0")/lib.sh"
LOG=${CROWD_SHARED:-$ROOT/../shared}/logs/openssh_2k.log

[ "$(id -u)" -eq 0 ] || { skip "needs root: it makes a network namespace"; exit 0; }
for program in crowd-agent crowd-lapi cscli; do
    [ -x "$BIN/$program" ] || { echo "$BIN/$program is not there; run make build first" >&2; exit 1; }
done
if [ ! -x /usr/bin/crowdsec ] || ! dpkg-query -W crowdsec 2> /dev/null | grep -q '1\.4\.'; then
    skip "Debian's crowdsec 1.4 is not installed (make accept installs it)"
    rm -rf "$WORK"
    exit 0
fi
trap tear_down EXIT
trap 'exit 1' INT TERM
ip netns add "$NETNS" && ip -n "$NETNS" link set lo up || exit 1
configure_ours && configure_theirs || exit 1

. "$ROOT/Tests/Accept/agent.sh"
. "$ROOT/Tests/Accept/dumps.sh"
. "$ROOT/Tests/Accept/bouncer.sh"
. "$ROOT/Tests/Accept/custom.sh"
. "$ROOT/Tests/Accept/python.sh"
. "$ROOT/Tests/Accept/wire.sh"
. "$ROOT/Tests/Accept/takeover.sh"
. "$ROOT/Tests/Accept/takeover-postgres.sh"
. "$ROOT/Tests/Accept/postgres-tls.sh"
. "$ROOT/Tests/Accept/configuration.sh"

echo "$PASSED shown, $FAILED differ"
[ "$FAILED" -eq 0 ]
