# Sourced by accept.sh: the 0.0.25 firewall bouncer against our server.

debians crowdsec-firewall-bouncer || return 0
KEY=$(ours bouncers add debian-bouncer -o raw)
cat > "$WORK/bouncer.yaml" << END
mode: nftables
pid_dir: $WORK/
update_frequency: 1s
daemonize: false
log_mode: stdout
log_level: info
api_url: http://127.0.0.1:8080/
api_key: $KEY
disable_ipv6: false
deny_action: DROP
supported_decisions_types: [ban]
blacklists_ipv4: crowdsec-blacklists
blacklists_ipv6: crowdsec6-blacklists
nftables:
  ipv4: {enabled: true, set-only: false, table: crowdsec, chain: crowdsec-chain}
  ipv6: {enabled: true, set-only: false, table: crowdsec6, chain: crowdsec6-chain}
prometheus: {enabled: false}
END
sets() { inside nft list ruleset; }
has() { sets | grep -q "$1"; }
has_not() { ! has "$1"; }
check "a decision before it starts" ours decisions add -i 192.0.2.31
background bouncer /usr/bin/crowdsec-firewall-bouncer -c "$WORK/bouncer.yaml"
BOUNCER_PID=$LAST_PID
check "its set holds the decision" within 10 has 192.0.2.31
check "a decision while it runs" ours decisions add -i 192.0.2.32
check "its set holds that too" within 5 has 192.0.2.32
check "an IPv6 decision" ours decisions add -i 2001:db8::32
check "its IPv6 set holds it" within 5 has 2001:db8::32
check "a deleted decision" prints "1 decision(s) deleted" ours decisions delete -i 192.0.2.31
check "leaves its set" within 5 has_not 192.0.2.31
check "the server knows its type and last pull" within 5 prints "debian-bouncer,127.0.0.1,validated,2.*crowdsec-firewall-bouncer" \
    ours bouncers list -o raw
stop "$LAPI_PID"
sleep 2
check "the server comes back" start_ours
check "and the bouncer with it: a new decision" ours decisions add -i 192.0.2.33
check "arrives" within 8 has 192.0.2.33
stop "$BOUNCER_PID"
ours decisions delete --all > /dev/null 2>&1
