#!/usr/bin/env bash
# `make bench-allocations`: heap allocations of the agent for each further line of a log. Needs a release build and cc.
#
# Each log is replayed up to a line and up to four times that line; the difference is what lines cost, without what the start
# costs. env: LINES_OF_LOG (default 50000), BENCH (generated logs, default /tmp/crowd-bench)
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../Demo/lib.sh"
BENCH=${BENCH:-/tmp/crowd-bench} LINES=${LINES_OF_LOG:-50000}
trap tear_down EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$BENCH"

allocations() { # LOG TYPE: how many a replay of the log takes
    LD_PRELOAD=$WORK/count.so "$BIN/crowd-agent" -c "$CONFIG" -dsn "file://$1" -type "$2" -dry-run 2>&1 > "$WORK/replay.out" |
        sed -n 's/^allocations //p'
}

# row LABEL TYPE GENERATOR EXPRESSION: of the lines that the extended regular expression finds
row() {
    local log=$WORK/lines few many outcome
    "$here/$3" $((LINES * 24)) > "$log" || return 1
    grep -E ${5:-} -m $((LINES * 4)) -- "$4" "$log" > "$log.4"
    [ "$(wc -l < "$log.4")" = $((LINES * 4)) ] || { echo "$1: the generated log has too few such lines"; return 1; }
    head -n "$LINES" "$log.4" > "$log.1"
    few=$(allocations "$log.1" "$2") && many=$(allocations "$log.4" "$2") && [ -n "$few" ] && [ -n "$many" ] || return 1
    outcome=$(grep -ao 'lines=[0-9]* parsed=[0-9]*.* alerts=[0-9]*' "$WORK/replay.out" | tail -n 1)
    awk -v label="$1" -v few="$few" -v many="$many" -v lines=$((LINES * 3)) -v outcome="$outcome" 'BEGIN {
        printf "%-58s %8.3f allocations a line   (%s)\n", label, (many - few) / lines, outcome }'
}

make_configuration || exit 1
cc -O2 -shared -fPIC -o "$WORK/count.so" "$here/count_allocations.c" || exit 1
status=0
row "lines that no parser wants" syslog gen_sshd.py 'sshd\[' -v || status=1
row "lines that are parsed and that no scenario takes" nginx gen_nginx.py '"GET [^ ?]*\.(css|js|png|jpg|svg|woff2?) HTTP[^"]*" 200' || status=1
row "lines of an attack" syslog gen_sshd.py 'sshd\[.*(Failed|Invalid)' || status=1
exit "$status"
