#!/usr/bin/env bash
# The bouncer's part of `make bench`: lists from the stream into the kernel, a change of one per cent, the delay from ban to
# drop, and memory, beside Debian's crowdsec-firewall-bouncer where it is installed. Needs root and a release build.
#
# env: SIZES (default "10000 100000 1000000"), PEER_SIZES (default 10000: it needs minutes for 100000), SAMPLES (default 200),
#      PEER_SAMPLES (default 8, each takes up to 10 s), LIMIT (seconds per step, default 400), BENCH (default /tmp/crowd-bench)
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
BIN=${CROWD_BIN:-$here/../../.build/release}
BENCH=${BENCH:-/tmp/crowd-bench}
TABLE=$BENCH/bouncer.tsv
WORK=$(mktemp -d /tmp/crowd-bouncer-bench.XXXXXX)
SPACE=crowd-bench-$$
RUNNING=
tear_down() {
    [ -z "$RUNNING" ] || kill "$RUNNING" 2> /dev/null
    ip netns del "$SPACE" 2> /dev/null
    rm -rf "$WORK"
}
trap tear_down EXIT
trap 'exit 130' INT TERM HUP

[ "$(id -u)" -eq 0 ] || { echo "this needs root: it makes network namespaces" >&2; exit 1; }
[ -x "$BIN/crowd-bouncer" ] || { echo "$BIN/crowd-bouncer is not there; run make build first" >&2; exit 1; }
mkdir -p "$BENCH"
: > "$TABLE"

configure() {
    cat > "$WORK/bouncer.yaml" << EOF
mode: nftables
pid_dir: $WORK/
update_frequency: 10s
daemonize: false
log_mode: file
log_dir: $WORK/
log_level: info
api_url: http://127.0.0.1:18100/
api_key: bench
disable_ipv6: false
deny_action: DROP
deny_log: false
supported_decisions_types: [ban]
blacklists_ipv4: crowdsec-blacklists
blacklists_ipv6: crowdsec6-blacklists
nftables:
  ipv4: {enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain}
  ipv6: {enabled: true, set-only: false, table: crowdsec6, chain: crowdsec6-chain}
prometheus: {enabled: false, listen_addr: 127.0.0.1, listen_port: 60601}
status_socket: $WORK/status.sock
state_dir: $WORK/state
EOF
}

# run LABEL DECISIONS SAMPLES COMMAND...
run() {
    local label=$1 count=$2 samples=$3
    shift 3
    rm -rf "$WORK"/*.log "$WORK/state"
    configure
    ip netns add "$SPACE" && ip -n "$SPACE" link set lo up || return 1
    ip netns exec "$SPACE" "$here/bouncer.py" "$label" "$TABLE" "$count" "$samples" "${LIMIT:-400}" \
        "$WORK/crowdsec-firewall-bouncer.log" -- "$@" -c "$WORK/bouncer.yaml" &
    RUNNING=$!
    wait "$RUNNING"
    local status=$?
    RUNNING=
    ip netns del "$SPACE"
    return "$status"
}

status=0
for size in ${SIZES:-10000 100000 1000000}; do
    run crowd-bouncer "$size" "${SAMPLES:-200}" "$BIN/crowd-bouncer" || status=1
done
if command -v crowdsec-firewall-bouncer > /dev/null; then
    version=$(dpkg-query -W -f='${Version}' crowdsec-firewall-bouncer)
    for size in ${PEER_SIZES-10000}; do
        run "crowdsec-firewall-bouncer ${version%%-*}" "$size" "${PEER_SAMPLES:-8}" crowdsec-firewall-bouncer || status=1
    done
else
    echo "skipped: crowdsec-firewall-bouncer is not installed (make bench-peers)"
fi
{
    echo "| bouncer | decisions | stream to kernel s | CPU s | resident MB | peak MB | in the sets | 1 % changed s | ban to drop p50 ms | p99 ms | max ms | bans |"
    echo "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |"
    awk -F'\t' '{ printf "| %s | %d | %s | %s | %.1f | %.1f | %d | %s | %s | %s | %s | %d |\n", $1, $2, $3, $4, $5 / 1024, $6 / 1024, $7, $8, $9, $10, $11, $12 }' "$TABLE"
} | tee "$BENCH/bouncer.md"
exit "$status"
