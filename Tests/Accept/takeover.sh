# Sourced by accept.sh: a database made by 1.4.6 becomes ours.

echo "A database of Debian's server taken over"
stop "$LAPI_PID"
rm -f "$WORK/theirs/local_api_credentials.yaml"
check "its cscli registers a machine" theirs machines add keeper -p keep-this-password -f "$WORK/theirs/local_api_credentials.yaml"
printf 'url: http://127.0.0.1:8080/\nlogin: keeper\npassword: keep-this-password\n' > "$WORK/theirs/local_api_credentials.yaml"
OLD_KEY=$(theirs bouncers add old-bouncer -o raw)
background old-lapi /usr/bin/crowdsec -c "$WORK/theirs/config.yaml" -no-cs
OLD_PID=$LAST_PID
check "its server starts" within 15 old_server_answers
check "an address is banned there" theirs decisions add -i 192.0.2.41 -d 24h -R kept
check "a range is banned there" theirs decisions add -r 198.51.100.0/25 -d 24h
check "an IPv6 address is banned there" theirs decisions add -i 2001:db8::41 -d 24h
check "a decision ends there" theirs decisions add -i 192.0.2.49 -d 24h
theirs decisions delete -i 192.0.2.49 > /dev/null 2>&1
if [ -r "$LOG" ]; then check "its agent fills it" replay; fi
theirs alerts list -a -l 0 -o json > "$WORK/before.json" 2> /dev/null
inside curl -s -H "X-Api-Key: $OLD_KEY" "http://127.0.0.1:8080/v1/decisions" | jq -S 'map(del(.duration, .uuid)) | sort_by(.id)' \
    > "$WORK/decisions-before.json"
stop "$OLD_PID"

cp "$WORK/old-data/crowdsec.db" "$WORK/data/crowdsec.db"
for part in wal shm; do rm -f "$WORK/data/crowdsec.db-$part"; done
for part in wal shm; do
    [ ! -e "$WORK/old-data/crowdsec.db-$part" ] || cp "$WORK/old-data/crowdsec.db-$part" "$WORK/data/"
done
check "our server starts on it" start_ours
check "a copy was kept" prints "crowdsec.db" find "$WORK/data" -name 'crowdsec.db.before-*'
check "its machine logs in" prints "You can successfully interact" theirs lapi status
inside curl -s -H "X-Api-Key: $OLD_KEY" "http://127.0.0.1:8080/v1/decisions" | jq -S 'map(del(.duration, .uuid)) | sort_by(.id)' \
    > "$WORK/decisions-after.json"
check "its bouncer's key gets the same decisions" diff "$WORK/decisions-before.json" "$WORK/decisions-after.json"
theirs alerts list -a -l 0 -o json > "$WORK/after.json" 2> /dev/null
facts='map({id, scenario, source: {scope: .source.scope, value: .source.value}, events: (.events | length), events_count,
    decisions: [.decisions[]? | {id, value, type, origin}] | sort_by(.id)}) | sort_by(.id)'
same_alerts() { diff <(jq -S "$facts" "$WORK/before.json") <(jq -S "$facts" "$WORK/after.json"); }
check "every alert is there ($(jq length "$WORK/before.json"))" same_alerts
check "an ended decision is told as deleted" prints 192.0.2.49 inside curl -s -H "X-Api-Key: $OLD_KEY" \
    "http://127.0.0.1:8080/v1/decisions/stream?startup=true"
check "new decisions are taken" prints "successfully added" theirs decisions add -i 192.0.2.42
check "our cscli lists its machine" prints "keeper" ours machines list -o raw
check "our cscli lists its bouncer" prints "old-bouncer" ours bouncers list -o raw
stop "$LAPI_PID"
check "our server starts again" start_ours
check "with the same alerts" prints "192.0.2.42" theirs alerts list
