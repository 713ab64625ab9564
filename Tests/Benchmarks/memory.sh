#!/usr/bin/env bash
# Memory of the three services with the starter content, each idle and after 100 bans: resident; of that anonymous, so
# nobody else's; and proportional, where a page that several processes have mapped counts for each in part.
#
# usage: Tests/Benchmarks/memory.sh [--maps]   --maps: also the ten costliest files and the heap of each service
# env: CROWD_BIN (programs, default .build/release). Needs root: the services run in a network namespace.
set -uo pipefail
. "$(dirname "$0")/../Demo/lib.sh"
trap tear_down EXIT
trap 'exit 130' INT TERM HUP
SERVICES="crowd-agent crowd-lapi crowd-bouncer"

kb_of() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; }

row() { # WHEN
    local name pid rss anon pss sum_rss=0 sum_anon=0 sum_pss=0
    for name in $SERVICES; do
        pid=${SERVICE[$name]}
        rss=$(kb_of "$pid" VmRSS) anon=$(kb_of "$pid" RssAnon) pss=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")
        sum_rss=$((sum_rss + rss)) sum_anon=$((sum_anon + anon)) sum_pss=$((sum_pss + pss))
        line "$1" "$name" "$rss" "$anon" "$pss" "$(kb_of "$pid" Threads)"
    done
    line "$1" together "$sum_rss" "$sum_anon" "$sum_pss" ""
}

line() { printf '%-16s %-14s %8.1f %10.1f %8.1f %8s\n' "$1" "$2" "$(mb "$3")" "$(mb "$4")" "$(mb "$5")" "$6"; }

mb() { awk -v kb="$1" 'BEGIN { print kb / 1024 }'; }

# Resident kilobytes by mapped file, costliest first.
maps() { # NAME
    printf '%s, kB resident by mapping\n' "$1"
    awk '/^[0-9a-f]+-[0-9a-f]+ / { name = NF > 5 ? $6 : "(anonymous)" } /^Rss:/ { kb[name] += $2 }
        END { for (name in kb) printf "  %7d %s\n", kb[name], name }' "/proc/${SERVICE[$1]}/smaps" | sort -rn | head -n "${TOP:-12}"
}

need_root_and_programs
make_hosts && make_certificates && make_configuration && register || exit 1
start_lapi && start_agent && start_bouncer || { show_logs; exit 1; }
sleep 3
printf '%-16s %-14s %8s %10s %8s %8s\n' when service 'VmRSS MB' 'RssAnon MB' 'Pss MB' threads
row idle
python3 -c "import sys; sys.path.insert(0, '$ROOT/Tests/Demo'); import net
for n in range(100): sys.stdout.write(net.brute_force(f'198.51.100.{n + 1}', 8))" >> "$FOLLOWED"
for _ in $(seq 100); do
    bans=$(edge nft -j list ruleset | jq '[.nftables[].set?.elem? // [] | length] | add')
    [ "$bans" -ge 100 ] && break
    sleep 0.2
done
sleep 2
row "after $bans bans"
if [ "${1:-}" = --maps ]; then for name in $SERVICES; do maps "$name"; done; fi
