# Sourced by accept.sh: a database made by 1.4.6 becomes ours, its cscli works on it beside us, and 1.4.6 starts again on
# what it left behind.

# What bouncers and machines see of a server, to be compared: decisions by a bouncer's key, alerts by its cscli.
decisions_seen() {
    inside curl -s -H "X-Api-Key: $OLD_KEY" "http://127.0.0.1:8080/v1/decisions" | jq -S 'map(del(.duration, .uuid)) | sort_by(.id)'
}
alerts_seen() {
    theirs alerts list -a -l 0 -o json 2> /dev/null | jq -S 'map({id, scenario, source: {scope: .source.scope, value: .source.value},
        events: (.events | length), events_count, decisions: [.decisions[]? | {id, value, type, origin}] | sort_by(.id)}) | sort_by(.id)'
}
same_decisions() { diff "$WORK/decisions-before.json" <(decisions_seen); }
same_alerts() { diff "$WORK/alerts-before.json" <(alerts_seen); }
start_theirs() {
    background old-lapi /usr/bin/crowdsec -c "$WORK/theirs/config.yaml" -no-cs
    OLD_PID=$LAST_PID
    within 15 old_server_answers
}
# Fills the database that 1.4.6 is configured for: a machine, a bouncer, decisions, alerts, one decision ended.
fill_theirs() {
    rm -f "$WORK/theirs/local_api_credentials.yaml"
    check "its cscli registers a machine" theirs machines add keeper -p keep-this-password \
        -f "$WORK/theirs/local_api_credentials.yaml"
    printf 'url: http://127.0.0.1:8080/\nlogin: keeper\npassword: keep-this-password\n' > "$WORK/theirs/local_api_credentials.yaml"
    OLD_KEY=$(theirs bouncers add old-bouncer -o raw)
    check "its server starts" start_theirs
    check "an address is banned there" theirs decisions add -i 192.0.2.41 -d 24h -R kept
    check "a range is banned there" theirs decisions add -r 198.51.100.0/25 -d 24h
    check "an IPv6 address is banned there" theirs decisions add -i 2001:db8::41 -d 24h
    check "a decision ends there" theirs decisions add -i 192.0.2.49 -d 24h
    theirs decisions delete -i 192.0.2.49 > /dev/null 2>&1
    if [ -r "$LOG" ]; then check "its agent fills it" replay; fi
    decisions_seen > "$WORK/decisions-before.json"
    alerts_seen > "$WORK/alerts-before.json"
    stop "$OLD_PID"
}
# What has to hold once our server runs on that database.
taken_over() {
    check "its machine logs in" prints "You can successfully interact" theirs lapi status
    check "its bouncer's key gets the same decisions ($(jq length "$WORK/decisions-before.json"))" same_decisions
    check "every alert is there ($(jq length "$WORK/alerts-before.json"))" same_alerts
    check "an ended decision is told as deleted" prints 192.0.2.49 inside curl -s -H "X-Api-Key: $OLD_KEY" \
        "http://127.0.0.1:8080/v1/decisions/stream?startup=true"
    check "new decisions are taken" prints "successfully added" theirs decisions add -i 192.0.2.42
    check "our cscli lists its machine" prints "keeper" ours machines list -o raw
    check "our cscli lists its bouncer" prints "old-bouncer" ours bouncers list -o raw
}
bouncer_key_is_good() { inside curl -sf -o /dev/null -H "X-Api-Key: $1" http://127.0.0.1:8080/v1/decisions; }
# Its cscli on the database while our server runs on it. It changes the tables with every call and gives up at once when somebody
# else writes, its own server included: so it may try again.
shared_with_its_cscli() {
    check "its cscli lists our machines on the running server's database" within 5 prints "keeper" theirs machines list -o raw
    check "its cscli lists the bouncers" within 5 prints "old-bouncer" theirs bouncers list -o raw
    check "its cscli adds a machine" within 5 theirs machines add latecomer -p late-password -f "$WORK/late.yaml" --force
    check "which our server lets in at once" within 3 logs_in latecomer late-password
    check "its cscli deletes it" within 5 theirs machines delete latecomer
    check "and our server does not" within 3 logs_in_not latecomer late-password
    check "our server answers as before" same_alerts_but_new
}
logs_in() {
    inside curl -sf -o /dev/null -A crowdsec/v1 -d "{\"machine_id\":\"$1\",\"password\":\"$2\",\"scenarios\":[]}" \
        http://127.0.0.1:8080/v1/watchers/login
}
logs_in_not() { ! logs_in "$@"; }
same_alerts_but_new() { [ "$(alerts_seen | jq length)" -gt "$(jq length "$WORK/alerts-before.json")" ]; }

echo "A database of Debian's server taken over"
stop "$LAPI_PID"
fill_theirs
rm -f "$WORK/data"/crowdsec.db*
for part in "" -wal -shm; do
    [ ! -e "$WORK/old-data/crowdsec.db$part" ] || cp "$WORK/old-data/crowdsec.db$part" "$WORK/data/"
done
check "our server starts on it" start_ours
check "a copy was kept" prints "crowdsec.db" find "$WORK/data" -name 'crowdsec.db.before-*'
taken_over
stop "$LAPI_PID"
check "our server starts again" start_ours
check "with the same alerts" prints "192.0.2.42" theirs alerts list
cp "$WORK/theirs/config.yaml" "$WORK/theirs/config.before"
sed -i "s#$WORK/old-data/crowdsec.db#$WORK/data/crowdsec.db#" "$WORK/theirs/config.yaml"
shared_with_its_cscli
stop "$LAPI_PID"

echo "And back: Debian's server on the copy that was kept"
for copy in "$WORK/data"/crowdsec.db.before-*; do
    mkdir -p "$WORK/back" && cp "$copy" "$WORK/back/crowdsec.db"
done
sed "s#$WORK/old-data/crowdsec.db#$WORK/back/crowdsec.db#" "$WORK/theirs/config.before" > "$WORK/theirs/config.yaml"
check "its server starts" start_theirs
check "its machine logs in" prints "You can successfully interact" theirs lapi status
check "with the same decisions" same_decisions
check "and the same alerts" same_alerts
check "it takes new decisions" prints "successfully added" theirs decisions add -i 192.0.2.43
stop "$OLD_PID"
cp "$WORK/theirs/config.before" "$WORK/theirs/config.yaml"
