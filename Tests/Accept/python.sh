# Sourced by accept.sh: two published Python clients, pycrowdsec and crowdsec-blocklist-import, against our server.

PYTHON_CLIENTS="pycrowdsec==0.0.5 crowdsec-blocklist-import==3.9.0"
# shellcheck disable=SC2086
if ! { python3 -m venv "$WORK/venv" && "$WORK/venv/bin/pip" install -q $PYTHON_CLIENTS; } > "$WORK/pip.log" 2>&1; then
    skip "pycrowdsec and crowdsec-blocklist-import cannot be installed: $(tail -n 1 "$WORK/pip.log")"
    return 0
fi
# pycrowdsec_says CODE: what a program prints that has a `query` client and a URL for more.
pycrowdsec_says() {
    inside "$WORK/venv/bin/python" - "$PY_KEY" << END
import sys, time
from pycrowdsec.client import QueryClient, StreamClient, StreamDecisionClient

URL = "http://127.0.0.1:8080/"
query = QueryClient(api_key=sys.argv[1], lapi_url=URL)
$1
END
}

echo "pycrowdsec 0.0.5"
PY_KEY=$(ours bouncers add python-bouncer -o raw)
check "a decision" ours decisions add -i 192.0.2.61 -t captcha
check "a range" ours decisions add -r 198.51.100.0/26
check "another scope" ours decisions add --scope country -v NL
check "its stream client starts with all of them" prints "captcha ban ban None" pycrowdsec_says '
client = StreamClient(api_key=sys.argv[1], lapi_url=URL, interval=1, scopes=["ip", "range", "country"])
client.run()
print(client.get_action_for("192.0.2.61"), client.get_action_for("198.51.100.1"), client.get_action_for("NL"),
      client.get_action_for("192.0.2.99"))'
check "the default scopes are addresses and ranges" prints "192.0.2.61.*198.51.100.0/26.* False" pycrowdsec_says '
client = StreamClient(api_key=sys.argv[1], lapi_url=URL, interval=1)
client.run()
held = client.get_current_decisions()
print(sorted(held), "NL" in held)'
check "it asks for one address" prints "captcha None" pycrowdsec_says '
print(query.get_action_for("192.0.2.61"), query.get_decisions_for("192.0.2.99"))'
check "and finds a range by an address in it" prints "198.51.100.0/26" pycrowdsec_says '
print(query.get_decisions_for("198.51.100.7")[0]["value"])'
# One client pulls, then two changes are made from outside while it runs, then it is asked what came.
pycrowdsec_follows() {
    (
        sleep 3
        ours decisions add -i 192.0.2.62
        ours decisions delete -i 192.0.2.61
    ) > "$WORK/changes.log" 2>&1 &
    local changes=$!
    pycrowdsec_says '
client = StreamDecisionClient(api_key=sys.argv[1], lapi_url=URL, interval=1)
client.run()
list(client.get_new_decision())
list(client.get_deleted_decision())
news, ends = [], []
for _ in range(80):
    time.sleep(0.25)
    news += [(d["value"], d["type"], d["scope"]) for d in client.get_new_decision()]
    ends += [d["value"] for d in client.get_deleted_decision()]
    if news and "192.0.2.61" in ends:
        break
print("new", news, "ended", "192.0.2.61" in ends, client.is_running())'
    wait "$changes"
}
check "a running client hears of a new and of an ended decision" prints \
    "new \[('192.0.2.62', 'ban', 'Ip')\] ended True True" pycrowdsec_follows
check "a wrong key is refused" prints "403 Client Error" pycrowdsec_says '
try:
    QueryClient(api_key="wrong", lapi_url=URL).get_decisions_for("192.0.2.61")
except Exception as error:
    print(error)'
check "the server knows its type" within 5 prints "python-bouncer,127.0.0.1,validated,2.*python-bouncer,0.0.5" ours bouncers list -o raw
ours decisions delete --all > /dev/null 2>&1

echo "crowdsec-blocklist-import 3.9.0"
IMPORT_KEY=$(ours bouncers add blocklist-import -o raw)
check "our cscli registers it" ours machines add blocklist-import -p secret-for-import -f "$WORK/unused.yaml" --force
mkdir -p "$WORK/feed"
# 600 public addresses, and comments, rubbish and a private one, as feeds have them.
{
    echo "# a feed"
    for n in $(seq 1 200); do printf '45.60.%d.1\n45.61.0.%d\n91.200.%d.7\n' "$n" "$n" "$n"; done
    printf 'rubbish\n10.0.0.1\n\n'
} > "$WORK/feed/list.txt"
background feed python3 -m http.server 8099 --bind 127.0.0.1 --directory "$WORK/feed"
FEED_PID=$LAST_PID
import_feed() {
    inside env CROWDSEC_LAPI_URL=http://127.0.0.1:8080 CROWDSEC_LAPI_KEY="$IMPORT_KEY" CROWDSEC_MACHINE_ID=blocklist-import \
        CROWDSEC_MACHINE_PASSWORD="${1:-secret-for-import}" BLOCKLISTS_OPT_IN=true TELEMETRY_ENABLED=false \
        CUSTOM_BLOCKLISTS=http://127.0.0.1:8099/list.txt BATCH_SIZE=100 DECISION_DURATION=48h \
        timeout 120 "$WORK/venv/bin/crowdsec-blocklist-import"
}
values() { ours decisions list -l 0 -o json | jq -r '.[].decisions[].value'; }
banned_once() {
    values > "$WORK/values"
    wc -l < "$WORK/values"
    [ "$(wc -l < "$WORK/values")" -eq "$1" ] && [ "$(sort -u "$WORK/values" | wc -l)" -eq "$1" ]
}
listed() { grep -qx "$1" "$WORK/values"; }
not_listed() { ! listed "$1"; }
streamed() {
    inside curl -s -H "X-Api-Key: $PY_KEY" "http://127.0.0.1:8080/v1/decisions/stream?startup=true" | jq '.new | length'
}
check "an address that is banned already" ours decisions add -i 45.61.0.9
check "it imports the feed" import_feed
check "600 addresses are banned, none twice" banned_once 600
check "one of them" listed 45.60.17.1
check "the private one is not" not_listed 10.0.0.1
check "it imports the feed again" import_feed
check "still none twice" banned_once 600
check "the server saw it log in" within 5 prints "blocklist-import,127.0.0.1,2.*true" ours machines list -o raw
check "a bouncer gets what it imported" prints '^600$' streamed
check "a wrong password is refused" prints "401\|[Ff]ailed\|ERROR" import_feed wrong
stop "$FEED_PID"
ours decisions delete --all > /dev/null 2>&1
