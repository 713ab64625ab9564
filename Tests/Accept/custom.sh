# Sourced by accept.sh: crowdsec-custom-bouncer, which hands each decision to a program, against our server.

debians crowdsec-custom-bouncer || return 0
CUSTOM_KEY=$(ours bouncers add custom-bouncer -o raw)
# What it is called with, one line each: add or del, value, seconds, scenario, the decision as JSON.
cat > "$WORK/custom-hook" << END
#!/bin/sh
printf '%s %s %s|%s\n' "\$1" "\$2" "\$3" "\$4" >> "$WORK/custom-calls"
END
chmod +x "$WORK/custom-hook"
: > "$WORK/custom-calls"
cat > "$WORK/custom.yaml" << END
bin_path: $WORK/custom-hook
feed_via_stdin: false
total_retries: 0
scenarios_containing: []
scenarios_not_containing: []
origins: []
piddir: $WORK/
update_frequency: 1s
cache_retention_duration: 1s
daemonize: false
log_mode: stdout
log_level: info
api_url: http://127.0.0.1:8080/
api_key: $CUSTOM_KEY
prometheus: {enabled: false}
END
called() { grep -q -- "$1" "$WORK/custom-calls"; }
check "a decision before it starts" ours decisions add -i 192.0.2.51 -d 2h -R "before it starts"
background custom /usr/bin/crowdsec-custom-bouncer -c "$WORK/custom.yaml"
CUSTOM_PID=$LAST_PID
check "it hears of the decision, with its time and reason" within 10 called '^add 192\.0\.2\.51 7[12][0-9][0-9]|before it starts$'
check "a range while it runs" ours decisions add -r 198.51.100.128/25 -d 1h
check "it hears of that" within 5 called '^add 198\.51\.100\.128/25 3[56][0-9][0-9]|'
check "a deleted decision" prints "1 decision(s) deleted" ours decisions delete -i 192.0.2.51
check "it hears of the end" within 5 called '^del 192\.0\.2\.51 '
check "the server knows its type and last pull" within 5 prints "custom-bouncer,127.0.0.1,validated,2.*crowdsec-custom-bouncer" \
    ours bouncers list -o raw
stop "$CUSTOM_PID"
ours decisions delete --all > /dev/null 2>&1
