#!/usr/bin/env bash
# What a Local API does in a second and what it costs: alerts, look-ups, deltas, the whole list. Ours on SQLite and on
# PostgreSQL, and CrowdSec's where it is installed (make bench-peers; wrk comes with it).
#
# usage: Tests/Benchmarks/lapi.sh [sqlite] [postgresql] [crowdsec] [polls]      default: all that are there
# polls: what bouncers wait for their deltas at a million decisions, alone and while much else goes on (ours, SQLite)
# env: POLL_SIZE (1000000), IMPORT (200000), EXPIRED (1000000) for polls;
#      CROWD_BIN (programs, default .build/release), SECONDS_EACH (8), SIZES ("10000 100000 500000"), PEER_SIZES ("10000"),
#      PEER_BIN (crowdsec and cscli of the peer, default /usr/bin), DATA (directory of the database, default a temporary one)
# CPU is the server's own (for PostgreSQL without the database server's). Output: Markdown.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
BIN=${CROWD_BIN:-$HERE/../../.build/release} PEER=${PEER_BIN:-/usr/bin}
EACH=${SECONDS_EACH:-8}
export LAPI=127.0.0.1:18290 KEY=benchbenchbenchbenchbenchbenchbench
command -v wrk > /dev/null || { echo "lapi.sh: wrk is missing (make bench-peers)" >&2; exit 1; }
PID='' WORK=''
trap 'stop; leave; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

stop() {
    [ -z "$PID" ] || { kill "$PID"; wait "$PID"; } 2> /dev/null
    PID=''
}

configure() { # DB_CONFIG
    mkdir -p "$WORK/hub" "$WORK/plugins"
    cat > "$WORK/config.yaml" << END
common: {daemonize: false, log_media: stdout, log_level: error, working_dir: .}
config_paths: {config_dir: $WORK, data_dir: $WORK, simulation_path: $WORK/simulation.yaml, hub_dir: $WORK/hub,
  index_path: $WORK/hub/.index.json, notification_dir: $WORK/plugins, plugin_dir: $WORK/plugins}
db_config: $1
api:
  client: {credentials_path: $WORK/client.yaml}
  server: {listen_uri: $LAPI, profiles_path: $WORK/profiles.yaml, log_level: error${2:-}}
prometheus: {enabled: false}
END
    cp "$HERE/../../deploy/etc/crowdsec/profiles.yaml" "$WORK/profiles.yaml"
    echo 'simulation: off' > "$WORK/simulation.yaml"
    echo '{}' > "$WORK/hub/.index.json"
    : > "$WORK/client.yaml"
}

start() { # KIND: a fresh server
    local cscli=$BIN/cscli
    stop
    rm -rf "$WORK"
    WORK=$(mktemp -d "${DATA:-${TMPDIR:-/tmp}}/crowd-bench.XXXXXX")
    case $1 in
        postgresql) PGOPTIONS='-c client_min_messages=warning' psql -X -q -c 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' && configure "$DATABASE" ;;
        sqlite) configure "{type: sqlite, db_path: $WORK/crowdsec.db}" ;;
        polls) configure "{type: sqlite, db_path: $WORK/crowdsec.db, flush: {max_age: 7d}}" ", use_forwarded_for_headers: true" ;;
        crowdsec) configure "{type: sqlite, db_path: $WORK/crowdsec.db, use_wal: true}" && cscli=$PEER/cscli ;;
    esac || return 1
    "$cscli" -c "$WORK/config.yaml" machines add bench -p bench -f "$WORK/client.yaml" --force -u "http://$LAPI/" > "$WORK/setup" 2>&1 &&
        "$cscli" -c "$WORK/config.yaml" bouncers add edge -k "$KEY" >> "$WORK/setup" 2>&1 || { cat "$WORK/setup" >&2; return 1; }
    if [ "$1" = crowdsec ]; then
        "$PEER/crowdsec" -c "$WORK/config.yaml" -no-cs > "$WORK/log" 2>&1 &
        PID=$!
        answers
    else
        run_ours
    fi
}

run_ours() {
    "$BIN/crowd-lapi" -c "$WORK/config.yaml" > "$WORK/log" 2>&1 &
    PID=$!
    answers
}

answers() {
    for _ in $(seq 100); do
        TOKEN=$("$HERE/lapi.py" login 2> /dev/null) && export TOKEN && return 0
        sleep 0.1
    done
    cat "$WORK/log" >&2
    return 1
}

cpu() { awk '{ print ($14 + $15) / 100 }' "/proc/$PID/stat"; }
peak() { awk '$1 == "VmHWM:" { printf "%.0f", $2 / 1024 }' "/proc/$PID/status"; }

load() { # KIND WHAT MODE CONNECTIONS
    local before after row
    before=$(cpu)
    row=$(MODE=$3 FROM=$(($4 * 100000)) wrk -t1 -c"$4" -d"${EACH}s" -s "$HERE/lapi.lua" "http://$LAPI" | tail -n 1)
    after=$(cpu)
    echo "$row $before $after" | awk -v head="| $1 | $2 | $4" '{ n = $1 - $3; each = n ? ($7 - $6) / n * 1e6 : 0
        printf "%s | %d | %d | %.2f | %.1f | %.0f |\n", head, n / $2, $3, $4, $5, each }'
}

# poll WHAT BOUNCERS ARGUMENTS...: a row of what polls.py found.
poll() {
    local what=$1 bouncers=$2
    shift 2
    "$HERE/polls.py" --pid "$PID" --bouncers "$bouncers" "$@" | awk -v head="| $what | $bouncers" '{ printf "%s | %d | %d | %.2f | %.1f | %.1f | %d | %.0f | %s, %s |\n",
        head, $1, $2, $3, $4, $5, $6, $7 / $1 * 1e6, $8, $9 }'
}

# neighbour: a second server over a copy of the data, which nobody polls: what its work does to the polls of the first is the machine's.
neighbour() {
    NEIGHBOUR=127.0.0.1:18291 NEIGHBOUR_WORK=$(mktemp -d "${DATA:-${TMPDIR:-/tmp}}/crowd-bench.XXXXXX")
    cp -a "$WORK/." "$NEIGHBOUR_WORK" && sed -i "s|$WORK|$NEIGHBOUR_WORK|g; s|$LAPI|$NEIGHBOUR|g" "$NEIGHBOUR_WORK/config.yaml" || return 1
    "$BIN/crowd-lapi" -c "$NEIGHBOUR_WORK/config.yaml" > "$NEIGHBOUR_WORK/log" 2>&1 &
    NEIGHBOUR_PID=$!
    LAPI=$NEIGHBOUR answers
}

leave() {
    [ -z "${NEIGHBOUR_PID:-}" ] || { kill "$NEIGHBOUR_PID"; wait "$NEIGHBOUR_PID"; } 2> /dev/null
    rm -rf "${NEIGHBOUR_WORK:-}"
    NEIGHBOUR_PID='' NEIGHBOUR_WORK=''
}

both() { # WHAT ARGUMENTS...: a row of 20 quick bouncers, one of 500
    local what=$1
    shift
    poll "20 ten times a second$what" 20 --interval 0.1 "$@"
    poll "500 once a second$what" 500 "$@"
}

polls() {
    local size=${POLL_SIZE:-1000000} expired=${EXPIRED:-1000000} import=${IMPORT:-200000}
    start polls && "$HERE/lapi.py" fill 0 "$size" || return 1
    printf '\n| at %s decisions | bouncers | polls | failed | p50 ms | p99 ms | max ms | decisions told | CPU µs each | waits ms/s |\n' "$size"
    echo '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --- |'
    both "" --seconds 20
    poll "500 once a second, 20 bans added a second" 500 --seconds 15 --add 20
    both ", $import are imported" --seconds 60 --import "$import"
    both ", of other origins, $import are imported" --seconds 60 --import "$import" --query origins=bench
    kill "$PID" && wait "$PID" 2> /dev/null
    neighbour && run_ours || return 1
    both ", $import are imported by a neighbour" --seconds 60 --import "$import" --into "$NEIGHBOUR"
    stop
    leave
    "$HERE/lapi.py" expired "$WORK/crowdsec.db" "$expired" && run_ours || return 1
    sleep 58  # the flush comes a minute after the start
    both ", $expired ended ones are flushed" --seconds 20
    echo "ended decisions left: $("$HERE/lapi.py" count "$WORK/crowdsec.db")"
    grep VmHWM "/proc/$PID/status"
    kill "$PID" && wait "$PID" 2> /dev/null
    neighbour || return 1
    sleep 40
    run_ours || return 1  # its own flush comes later
    sleep 18
    both ", a neighbour flushes" --seconds 18
    leave
}

lists() { # KIND SIZES
    local from=0 size before after begin end bytes
    for size in $2; do
        begin=$(date +%s.%N)
        "$HERE/lapi.py" fill "$from" "$size" || return 1
        end=$(date +%s.%N)
        before=$(cpu)
        bytes=$("$HERE/lapi.py" stream)
        after=$(cpu)
        echo "$1 $size $from $begin $end $before $after $bytes $(peak)" | awk '{ printf "| %s | %d | %.0f | %.2f | %d | %.1f | %d |\n",
            $1, $2, ($2 - $3) / ($5 - $4), $7 - $6, $9, $8 / 1e6, $10 }' >> "$WORK.lists"
        from=$size
    done
}

one() { # KIND SIZES
    local clients
    for clients in 1 8 32; do
        start "$1" || return 1
        load "$1" alerts alerts "$clients"
    done
    start "$1" && "$HERE/lapi.py" fill 0 10000 || return 1
    for clients in 1 32; do load "$1" "look-ups at 10,000" lookups "$clients"; done
    load "$1" "deltas, nothing new" deltas 32
    start "$1" || return 1
    lists "$1" "$2"
    cat "$WORK.lists" >> "$RESULTS"
    rm -f "$WORK.lists"
}

RESULTS=$(mktemp)
if [ "${1:-}" = postgresql-inside ]; then
    one postgresql "${SIZES:-10000 100000 500000}"
    cat "$RESULTS" >> "$OUTER"
    rm -f "$RESULTS"
    exit 0
fi
[ $# -gt 0 ] || set -- sqlite postgresql crowdsec polls
echo "| Local API | what | clients | per second | failed | p50 ms | p99 ms | CPU µs each |"
echo "| --- | --- | --: | --: | --: | --: | --: | --: |"
for kind in "$@"; do
    case $kind in
        sqlite) one sqlite "${SIZES:-10000 100000 500000}" ;;
        polls) polls ;;
        postgresql) OUTER=$RESULTS "$HERE/postgres.sh" env OUTER="$RESULTS" "$0" postgresql-inside ;;
        crowdsec)
            [ -x "$PEER/crowdsec" ] || { echo "skipped: CrowdSec is not installed (make bench-peers)" >&2; continue; }
            one crowdsec "${PEER_SIZES:-10000}"
            ;;
    esac
done
printf '\n| Local API | decisions | imported per second | CPU s of a full stream | decisions in it | MB | peak MB |\n| --- | --: | --: | --: | --: | --: | --: |\n'
cat "$RESULTS"
rm -f "$RESULTS"
