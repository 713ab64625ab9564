#!/usr/bin/env bash
# `make bench`: speed, memory and delay of the suite, beside the peers that are installed. Needs root and a release build.
#
# env: LINES_OF_LOG (of the log our agent replays, default 1000000), PEER_LINES (default 100000; a peer needs minutes for more),
#      CROWD_SHARED (a folder with `hub` and `hub-data`, for the rows with today's hub; default ../shared),
#      BANS (default 100), PEER_BANS (default 5, each takes up to 11 s), BENCH (data and results, default /tmp/crowd-bench)
# The machine should be quiet; CPU seconds are what to quote. Output: one table, also in $BENCH/report.md.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../Demo/lib.sh"
BENCH=${BENCH:-/tmp/crowd-bench}
SHARED_HUB=$(realpath -m "${CROWD_SHARED:-$ROOT/../shared}")/hub
LINES_OURS=${LINES_OF_LOG:-1000000} LINES_PEER=${PEER_LINES:-100000}
TABLE=$BENCH/results.tsv DELAYS=$BENCH/delays.tsv
trap tear_down EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$BENCH"
: > "$TABLE"
: > "$DELAYS"

log_of() { # LINES [sshd|nginx]: the path of a generated log, made on first use
    local file=$BENCH/${2:-sshd}-$1.log
    [ -s "$file" ] || "$here/gen_${2:-sshd}.py" "$1" > "$file"
    echo "$file"
}

measure() { interruptible "$here/measure.py" "$@"; }

start_sink() { # COUNTS_FILE
    python3 "$here/../Content/sink.py" 18080 "$1" &
    SINK=$!
    PIDS+=("$SINK")
    sleep 0.5
}

stop_sink() {
    kill "$SINK" 2> /dev/null
    wait "$SINK" 2> /dev/null
    return 0
}

# A configuration that sends its alerts to the sink.
sink_configuration() {
    make_configuration || return 1
    printf 'url: http://127.0.0.1:18080\nlogin: bench\npassword: bench\n' > "$WORK/etc/crowdsec/local_api_credentials.yaml.local"
    cp "$WORK/etc/crowdsec/local_api_credentials.yaml.local" "$WORK/etc/crowdsec/local_api_credentials.yaml"
}

# What Debian's CrowdSec comes with: its collections linux, sshd, nginx, base-http-scenarios as they were then.
debian_configuration() {
    sink_configuration || return 1
    local kind
    for kind in parsers scenarios postoverflows collections; do
        rm -rf "$WORK/etc/crowdsec/${kind:?}"
        [ ! -d "/etc/crowdsec/$kind" ] || cp -aL "/etc/crowdsec/$kind" "$WORK/etc/crowdsec/"
    done
    cp /usr/share/crowdsec/data/* "$WORK/data/"
    cp "$WORK/data/path_traversal.txt" "$WORK/data/http_path_traversal.txt" # the package has it under the wrong name
}

# Today's hub, from a checkout: COLLECTION...
hub_configuration() {
    sink_configuration || return 1
    rm -rf "$WORK"/etc/crowdsec/{parsers,scenarios,postoverflows,collections} "$WORK/hub"
    mkdir -p "$WORK/hub/data" && cp -a "$SHARED_HUB/." "$WORK/hub/" &&
        ln -s "$SHARED_HUB-data" "$WORK/hub/data/hub-data.crowdsec.net" &&
        ln -s "$SHARED_HUB-data"/* "$WORK/hub/data/" && printf 'cscli: {hub_source: %s}\n' "$WORK/hub" >> "$CONFIG.local" &&
        "$BIN/cscli" -c "$CONFIG" hub update > "$BENCH/hub.out" 2>&1 || return 1
    "$BIN/cscli" -c "$CONFIG" collections install "$@" >> "$BENCH/hub.out" 2>&1
    [ -n "$(ls "$WORK/etc/crowdsec/collections")" ]
}

# replay LABEL PROGRAM LINES LOG TYPE [measure's options]: with the configuration as it is, alerts to the sink
replay() {
    local label=$1 program=$2 lines=$3 log=$4 type=$5
    shift 5
    start_sink "$BENCH/alerts.json"
    measure "$label" "$lines" "$TABLE" "$@" -- \
        "$program" -c "$CONFIG" -dsn "file://$log" -type "$type" > "$BENCH/replay.out" 2> "$BENCH/replay.err"
    tail -n 1 "$BENCH/replay.err"
    stop_sink
}

# The content of Debian's CrowdSec under both, then today's hub under ours.
replay_collections() {
    local ours_sshd ours_nginx peer_sshd peer_nginx few=$((LINES_PEER / 10))
    ours_sshd=$(log_of "$LINES_OURS") ours_nginx=$(log_of "$LINES_OURS" nginx)
    peer_sshd=$(log_of "$LINES_PEER") peer_nginx=$(log_of "$few" nginx)
    if [ -d /etc/crowdsec/scenarios ] && command -v crowdsec > /dev/null; then
        debian_configuration || return 1
        replay "crowd-agent, sshd log, Debian's collections" "$BIN/crowd-agent" "$LINES_OURS" "$ours_sshd" syslog --limit 900
        replay "crowd-agent, nginx log, Debian's collections" "$BIN/crowd-agent" "$LINES_OURS" "$ours_nginx" nginx --limit 900
        replay "crowd-agent, lines that no parser wants" "$BIN/crowd-agent" "$LINES_OURS" "$ours_sshd" other --limit 600
        CROWD_HUB=/var/lib/crowdsec/hub debian_configuration || return 1
        replay "crowdsec, sshd log, its collections" "$here/peers/crowd-agent" "$LINES_PEER" "$peer_sshd" syslog --idle 45 --limit 900
        replay "crowdsec, nginx log, its collections" "$here/peers/crowd-agent" "$few" "$peer_nginx" nginx --idle 45 --limit 900
        replay "crowdsec, lines that no parser wants" "$here/peers/crowd-agent" "$LINES_PEER" "$peer_sshd" other --idle 45 --limit 900
    else
        echo "skipped: Debian's collections are not installed (make bench-peers)"
    fi
    [ -d "$SHARED_HUB" ] || { echo "skipped: today's hub needs CROWD_SHARED"; return 0; }
    hub_configuration crowdsecurity/linux crowdsecurity/sshd || return 1
    replay "crowd-agent, sshd log, today's linux and sshd" "$BIN/crowd-agent" "$LINES_OURS" "$ours_sshd" syslog --limit 1800
    hub_configuration crowdsecurity/linux crowdsecurity/nginx crowdsecurity/base-http-scenarios || return 1
    replay "crowd-agent, nginx log, today's nginx and base-http-scenarios" "$BIN/crowd-agent" "$LINES_OURS" "$ours_nginx" nginx --limit 900
}

replay_ours() {
    local log
    log=$(log_of "$LINES_OURS")
    sink_configuration || return 1
    start_sink "$BENCH/alerts-ours.json"
    measure "crowd-agent, replay" "$LINES_OURS" "$TABLE" --limit 600 -- \
        "$BIN/crowd-agent" -c "$CONFIG" -dsn "file://$log" -type syslog > "$BENCH/agent.out" 2> "$BENCH/agent.err"
    tail -n 1 "$BENCH/agent.err"
    stop_sink
}

replay_crowdsec() {
    command -v crowdsec > /dev/null || { echo "skipped: CrowdSec is not installed (make bench-peers)"; return 0; }
    local log version
    log=$(log_of "$LINES_PEER") version=$(dpkg-query -W -f='${Version}' crowdsec)
    CROWD_HUB=/var/lib/crowdsec/hub sink_configuration || return 1
    start_sink "$BENCH/alerts-crowdsec.json"
    measure "crowdsec ${version%%-*}, replay, same content" "$LINES_PEER" "$TABLE" --idle 45 --limit 900 -- \
        "$here/peers/crowd-agent" -c "$CONFIG" -dsn "file://$log" -type syslog > "$BENCH/crowdsec.out" 2> "$BENCH/crowdsec.err"
    tail -n 1 "$BENCH/crowdsec.err"
    stop_sink
}

# fail2ban_configuration FOLDER LOG ACTION TIME: one sshd jail over a log.
fail2ban_configuration() {
    local d=$1
    mkdir -p "$d" && cp -a /etc/fail2ban/filter.d /etc/fail2ban/action.d /etc/fail2ban/paths-*.conf /etc/fail2ban/fail2ban.conf "$d/"
    printf '[Definition]\nactionstart =\nactionstop =\nactioncheck =\nactionban =\nactionunban =\n' > "$d/action.d/noop.conf"
    cat > "$d/fail2ban.local" << EOF
[Definition]
logtarget = $d/log
socket = $d/sock
pidfile = $d/pid
dbfile = $d/db.sqlite3
EOF
    cat > "$d/jail.conf" << EOF
[sshd]
enabled = true
filter = sshd
backend = polling
usedns = no
findtime = $4
bantime = $4
maxretry = 5
action = $3
logpath = $2
EOF
}

replay_fail2ban() {
    command -v fail2ban-server > /dev/null || { echo "skipped: fail2ban is not installed (make bench-peers)"; return 0; }
    local d=$WORK/fail2ban log version
    log=$(log_of "$LINES_PEER") version=$(dpkg-query -W -f='${Version}' fail2ban)
    # Ten years, because it drops older lines unread.
    fail2ban_configuration "$d" "$log head" noop 3650d
    measure "fail2ban ${version%%-*}, server, sshd jail" "$LINES_PEER" "$TABLE" --idle 10 --limit 600 -- \
        fail2ban-server -c "$d" -s "$d/sock" -p "$d/pid" -f start > "$BENCH/fail2ban.out" 2> "$BENCH/fail2ban.err"
    tail -n 1 "$BENCH/fail2ban.err"
}

# delays LABEL COUNT PAUSE: the suite under $BIN on two hosts, COUNT attackers one after the other.
delays() {
    local label=$1 count=$2 pause=$3 n outcome=0
    make_hosts && make_certificates && make_configuration && register && start_lapi && start_agent && start_bouncer ||
        { echo "$label did not start"; show_logs; remove_hosts; return 1; }
    for n in $(seq 100 $((99 + count))); do ip -n "$ATTACKER" address add "203.0.113.$n/24" dev eth0; done
    if interruptible "$here/drops.py" "$EDGE" "$ATTACKER" "$EDGE_IP" "$FOLLOWED" "$count" "$pause" > "$WORK/drops"; then
        printf '%s\t%s\t%s\n' "$label" "$(cat "$WORK/drops")" "$(rss_of_services)" | tee -a "$DELAYS"
    else
        outcome=1
    fi
    for n in crowd-agent crowd-bouncer crowd-lapi; do stop "$n"; done
    remove_hosts
    return "$outcome"
}

delays_fail2ban() { # COUNT
    local d=$WORK/fail2ban-live version n
    version=$(dpkg-query -W -f='${Version}' fail2ban)
    make_hosts || return 1
    : > "$FOLLOWED"
    fail2ban_configuration "$d" "$FOLLOWED" 'nftables[type=allports, protocol="tcp,udp"]' 10m
    ip netns exec "$EDGE" fail2ban-server -c "$d" -s "$d/sock" -p "$d/pid" -f start > "$BENCH/fail2ban-live.out" 2>&1 &
    SERVICE[fail2ban]=$!
    PIDS+=("$!")
    sleep 3
    for n in $(seq 100 $((99 + $1))); do ip -n "$ATTACKER" address add "203.0.113.$n/24" dev eth0; done
    if interruptible "$here/drops.py" "$EDGE" "$ATTACKER" "$EDGE_IP" "$FOLLOWED" "$1" 1 > "$WORK/drops"; then
        printf 'fail2ban %s\t%s\t%s\n' "${version%%-*}" "$(cat "$WORK/drops")" \
            "$(awk -v kb="$(rss_kb "${SERVICE[fail2ban]}")" 'BEGIN { printf "%.1f", kb / 1024 }')" | tee -a "$DELAYS"
    fi
    stop fail2ban
    remove_hosts
}

report() {
    echo "| log lines in, alerts out | lines | lines per CPU second | CPU s | wall s | peak MB | ended |"
    echo "| --- | --: | --: | --: | --: | --: | --- |"
    awk -F'\t' '{ printf "| %s | %d | %.0f | %s | %s | %.1f | %s |\n", $1, $2, $2 / ($3 + 1e-9), $3, $4, $5 / 1024, $6 }' "$TABLE"
    echo
    echo "| log line to dropped packet | bans | p50 ms | p99 ms | max ms | resident MB, all services |"
    echo "| --- | --: | --: | --: | --: | --: |"
    awk -F'\t' '{ printf "| %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6 }' "$DELAYS"
}

need_root_and_programs
status=0
replay_ours || status=1
replay_crowdsec || status=1
replay_fail2ban || status=1
replay_collections || status=1
delays "crowd-agent, crowd-lapi, crowd-bouncer" "${BANS:-100}" 0.2 || status=1
if command -v fail2ban-server > /dev/null && [ "${PEER_BANS:-5}" -gt 0 ]; then delays_fail2ban "${PEER_BANS:-5}" || status=1; fi
if command -v crowdsec > /dev/null && command -v crowdsec-firewall-bouncer > /dev/null && [ "${PEER_BANS:-5}" -gt 0 ]; then
    BIN=$here/peers CROWD_HUB=/var/lib/crowdsec/hub
    delays "crowdsec and its firewall bouncer" "${PEER_BANS:-5}" 10 || status=1
fi
printf '\n'
report | tee "$BENCH/report.md"
exit "$status"
