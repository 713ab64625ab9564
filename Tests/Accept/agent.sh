# Sourced by accept.sh: the 1.4.6 agent and its cscli against our server.

echo "Debian's crowdsec $(dpkg-query -W -f '${Version}' crowdsec) as agent"
check "our server starts" start_ours
check "our cscli registers a machine" ours machines add debian -p secret-for-debian -f "$WORK/unused.yaml" --force
printf 'url: http://127.0.0.1:8080/\nlogin: debian\npassword: secret-for-debian\n' > "$WORK/theirs/local_api_credentials.yaml"
check "our cscli registers itself" ours machines add ours --auto --force --url http://127.0.0.1:8080
check "our cscli logs in" prints "You can successfully interact with Local API" ours lapi status
check "its cscli logs in" prints "You can successfully interact with Local API" theirs lapi status
check "an empty list of alerts" prints "No active alerts" theirs alerts list
check "an empty list of decisions" prints "No active decisions" theirs decisions list

replay() {
    inside timeout 120 /usr/bin/crowdsec -c "$WORK/theirs/config.yaml" -no-api -dsn "file://$LOG" -type syslog
}
if [ -r "$LOG" ]; then
    check "its agent replays openssh_2k.log" replay
    theirs alerts list -l 0 -a -o json > "$WORK/alerts.json" 2> "$WORK/alerts.err"
    count() { jq "[.[] | select(.scenario == \"$1\")] | length" "$WORK/alerts.json"; }
    has_at_least() { echo "$2: $(count "$2")"; [ "$(count "$2")" -ge "$1" ]; }
    check "20 or more ssh-bf alerts arrived" has_at_least 20 crowdsecurity/ssh-bf
    check "the alerts keep their events" jq -e '[.[] | select(.scenario == "crowdsecurity/ssh-bf")] | all(.events | length > 0)' \
        "$WORK/alerts.json"
    id=$(jq -r '[.[] | select(.scenario == "crowdsecurity/ssh-bf")][0].id' "$WORK/alerts.json")
    check "its cscli lists them" prints "crowdsecurity/ssh-bf" theirs alerts list
    check "its cscli inspects one" prints "crowdsecurity/ssh-bf" theirs alerts inspect "$id" -d
    check "our cscli lists the same" prints "crowdsecurity/ssh-bf" ours alerts list -l 0
    check "its cscli deletes one" prints "1 alert(s) deleted" theirs alerts delete --id "$id"
    check "it is gone" prints "object not found" theirs alerts inspect "$id"
else
    skip "no log to replay: $LOG is not there"
fi

echo "Debian's cscli on decisions"
check "add an address" prints "Decision successfully added" theirs decisions add -i 192.0.2.7 -d 1h -R "by hand"
check "add a range" prints "Decision successfully added" theirs decisions add -r 198.51.100.0/24 -t captcha
check "add an IPv6 address" prints "Decision successfully added" theirs decisions add -i 2001:db8::7
check "add another scope" prints "Decision successfully added" theirs decisions add --scope username -v mallory
check "list them" prints "192.0.2.7" theirs decisions list
check "list as raw" prints "cscli,Ip:192.0.2.7,by hand,ban" theirs decisions list -o raw
check "list the range by an address in it" prints "198.51.100.0/24" theirs decisions list -i 198.51.100.77
check "list as JSON" prints mallory theirs decisions list -o json
check "alerts by value" prints "192.0.2.7" theirs alerts list --value 192.0.2.7
check "delete by address" prints "1 decision(s) deleted" theirs decisions delete -i 192.0.2.7
check "delete by type" prints "1 decision(s) deleted" theirs decisions delete -t captcha
id=$(theirs decisions list -o json 2> /dev/null | jq -r '.[0].decisions[0].id')
check "delete by id" prints "1 decision(s) deleted" theirs decisions delete --id "$id"
printf 'value,duration,scope,reason,type\n192.0.2.21,1h,ip,list,ban\n192.0.2.22,,,,\n' > "$WORK/import.csv"
check "import a CSV file" prints "successfully imported" theirs decisions import -i "$WORK/import.csv"
check "the imported ones are listed" prints "192.0.2.22" theirs decisions list --origin cscli-import
check "delete all decisions" prints "decision(s) deleted" theirs decisions delete --all
check "none is left" prints "No active decisions" theirs decisions list -a
check "a machine registers itself" prints "" theirs lapi register -u http://127.0.0.1:8080 --machine newcomer \
    -f "$WORK/newcomer.yaml"
check "our cscli sees it wait" prints "newcomer,127.0.0.1,.*,false" ours machines list -o raw
check "our cscli validates it" prints "validated successfully" ours machines validate newcomer
check "an alert that is not there is an error" prints "Error\|fatal\|error" theirs alerts inspect 999999
