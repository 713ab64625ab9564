#!/usr/bin/env bash
# `make demo`: a log line becomes a dropped packet, on two hosts made of network namespaces. Needs root and a release build.
#
# Every step checks what it claims; the first that does not hold ends the demo with 1 and the services' logs.
# env: CROWD_BIN (programs, default .build/release), KEEP=1 (leave the working directory), NO_COLOR
set -uo pipefail
. "$(dirname "$0")/lib.sh"

BAN=crowd/ssh-bf
STEPS=9 at=0 title=
SUMMARY=()

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' reset=$'\e[0m' tty=1
else
    bold= dim= green= red= reset= tty=
fi

begin() { # TITLE: what is about to be shown
    at=$((at + 1)) title=$1
    printf '%s[%d/%d] %s%s' "$bold" "$at" "$STEPS" "$title" "$reset"
    [ "$tty" ] && printf ' %s...%s' "$dim" "$reset"
    [ "$tty" ] || printf '\n'
}

proved() { # WHAT: the step holds
    [ "$tty" ] && printf '\r\e[K%s[%d/%d] %s%s' "$bold" "$at" "$STEPS" "$title" "$reset"
    [ "$tty" ] && printf '\n'
    printf '      %sok%s  %s\n' "$green" "$reset" "$1"
    SUMMARY+=("$title|$1")
}

failed() { # WHY
    [ "$tty" ] && printf '\n'
    printf '      %sFAILED%s  %s\n\n' "$red" "$reset" "$1"
    show_logs
    exit 1
}

quote() { sed "s/^/      ${dim}|${reset} /"; }

# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

opens() { attacker python3 "$NET" connect "$EDGE_IP" 22 1 > "$WORK/connect" 2>&1; }

# The element of the attacker in the kernel's sets, as JSON; nothing when there is none.
element() {
    edge nft -j list ruleset 2> /dev/null | jq -c --arg ip "$ATTACKER_IP" \
        '.nftables[].set? | select(.) | .name as $set | .elem[]? | (.elem? // .) | select(type == "object" and .val == $ip) | . + {set: $set}'
}

# Packets that the drop rules have counted.
dropped() {
    edge nft -j list ruleset 2> /dev/null | jq '[.nftables[] | (.counter? | select(. and .name != "processed") | .packets),
        (.rule?.expr[]?.counter? | objects | .packets)] | add // 0'
}

trap tear_down EXIT
exec 3>&1 # a signal may come while the output goes into a file
trap 'printf "\ninterrupted, cleaning up\n" >&3; exit 130' INT TERM HUP

need_root_and_programs
started=$(date +%s)
printf '%sFrom a log line to a dropped packet%s\n%stwo hosts on one cable: attacker %s, edge %s%s\n\n' \
    "$bold" "$reset" "$dim" "$ATTACKER_IP" "$EDGE_IP" "$reset"

begin "Two hosts, a small CA, a server certificate"
make_hosts 2> "$WORK/hosts.err" || failed "no network namespaces here: $(tail -n 1 "$WORK/hosts.err")"
make_certificates || failed "openssl: $(tail -n 1 "$WORK/tls/openssl.log")"
make_configuration || failed "the shipped configuration could not be copied"
proved "certificate for $(openssl x509 -in "$WORK/tls/server.crt" -noout -ext subjectAltName | tail -n 1 | tr -d ' ')"

begin "cscli registers the machine and the bouncer"
register || failed "cscli said: $(cat "$WORK"/log/machines-add.out "$WORK"/log/bouncers-add.err 2> /dev/null | tail -n 1)"
proved "machine edge01, bouncer firewall"

begin "Three services on the edge, speaking HTTPS"
start_lapi || failed "crowd-lapi did not get ready"
start_agent || failed "crowd-agent did not get ready"
start_bouncer || failed "crowd-bouncer did not get ready"
proved "crowd-lapi, crowd-agent, crowd-bouncer; $(rss_of_services) MB resident together"

begin "The attacker reaches the edge"
# Not through edge(): a function in the background is a shell of its own, and the listener would outlive it.
ip netns exec "$EDGE" python3 "$NET" listen "$EDGE_IP" 22 > "$WORK/listen.log" 2>&1 &
PIDS+=("$!")
until_true 5 opens || failed "no connection before the attack: $(tail -n 1 "$WORK/connect")"
proved "connected in $(cat "$WORK/connect")"

begin "An SSH brute force is appended to the log the agent follows"
interruptible python3 "$NET" drop "$EDGE" "$ATTACKER" "$EDGE_IP" "$ATTACKER_IP" "$FOLLOWED" 20 \
    > "$WORK/delay" 2> "$WORK/delay.err" || failed "$(cat "$WORK/delay.err")"
delay=$(cat "$WORK/delay")
tail -n 2 "$FOLLOWED" | quote
proved "first packet dropped $delay ms after the lines were written"

begin "What the Local API knows"
cscli alerts list --color no > "$WORK/alerts" 2>&1 || failed "cscli alerts list: $(tail -n 1 "$WORK/alerts")"
cscli decisions list --color no > "$WORK/decisions" 2>&1 || failed "cscli decisions list: $(tail -n 1 "$WORK/decisions")"
grep -q "$ATTACKER_IP.*$BAN" "$WORK/alerts" || failed "no alert $BAN about $ATTACKER_IP: $(cat "$WORK/alerts")"
grep -q "$ATTACKER_IP.*ban" "$WORK/decisions" || failed "no ban of $ATTACKER_IP: $(cat "$WORK/decisions")"
printf '\n'
{ echo '$ cscli alerts list' && cat "$WORK/alerts" && echo '$ cscli decisions list' && cat "$WORK/decisions"; } | quote
proved "alert $BAN, decision ban for $ATTACKER_IP"

begin "What the kernel enforces"
found=$(element | head -n 1)
[ -n "$found" ] || failed "the address is in no nftables set: $(edge nft list ruleset)"
left=$(jq -r '.expires // 0' <<< "$found")
[ "$left" -gt 0 ] || failed "the element has no timeout: $found"
packets=$(dropped)
[ "$packets" -gt 0 ] || failed "no packet was counted by a drop rule"
printf '\n'
{ echo '$ nft list table ip crowdsec' && edge nft list table ip crowdsec; } | quote
proved "in set $(jq -r .set <<< "$found") for another $left s; $packets packets dropped"

begin "The attacker is locked out"
opens && failed "the attacker still got in: $(cat "$WORK/connect")"
proved "connection refused: $(tail -n 1 "$WORK/connect")"

begin "cscli decisions delete lets the attacker in again"
before=$(date +%s%3N)
cscli decisions delete --ip "$ATTACKER_IP" > "$WORK/deleted" 2>&1 || failed "$(tail -n 1 "$WORK/deleted")"
until_true 20 opens || failed "still locked out 20 s later: $(tail -n 1 "$WORK/connect")"
proved "in again $(($(date +%s%3N) - before)) ms later"

for name in crowd-agent crowd-bouncer crowd-lapi; do
    stop "$name" || { code=$?; failed "$name ended with $code on SIGTERM, not 0"; }
done

printf '\n%s%-62s %s%s\n' "$bold" "Shown" "Figure" "$reset"
for row in "${SUMMARY[@]}"; do printf '%-62s %s\n' "${row%%|*}" "${row#*|}"; done
printf '\n%sall of it in %d s%s; everything that was made for it is gone again\n' \
    "$green" "$(($(date +%s) - started))" "$reset"
