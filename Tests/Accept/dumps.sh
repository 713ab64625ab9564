# Sourced by accept.sh: Debian's cscli 1.4.6 with our agent as the program that it runs to explain lines and test items.

echo "Debian's cscli with our agent"
mkdir -p "$WORK/programs" && ln -sf "$BIN/crowd-agent" "$WORK/programs/crowdsec"

# explained PATH TYPE LINE: the tree, without the number of changes: our evt.Time becomes the log's, as in newer releases.
explained() {
    inside env TZ=UTC PATH="$1" /usr/bin/cscli -c "$WORK/theirs/config.yaml" explain -t "$2" -l "$3" 2>&1 |
        sed 's/ ([^)]*)$//'
}

# explains_alike TYPE LINE: whether our agent's dumps give the tree that its own give.
explains_alike() {
    local their our
    their=$(explained /usr/sbin:/usr/bin:/sbin:/bin "$1" "$2")
    our=$(explained "$WORK/programs:/usr/sbin:/usr/bin:/sbin:/bin" "$1" "$2")
    printf '%s\n---\n%s\n' "$their" "$our"
    [ -n "$their" ] && [ "$their" = "$our" ] && printf '%s' "$our" | grep -q '🟢\|parser failure'
}

check "explains a failed login" explains_alike syslog \
    'Dec 10 07:13:43 web01 sshd[24227]: Failed password for root from 192.0.2.76 port 42393 ssh2'
check "explains a line that nobody takes" explains_alike syslog 'Dec 10 07:13:43 web01 sshd[24227]: nonsense'
check "explains a request" explains_alike nginx \
    '192.0.2.4 - - [10/Dec/2026:07:07:39 +0000] "GET /wp-config.php HTTP/1.1" 404 162 "-" "sqlmap/1.0"'
check "explains an allowlisted request" explains_alike nginx \
    '192.168.3.4 - - [10/Dec/2026:07:07:39 +0000] "GET / HTTP/1.1" 200 162 "-" "Mozilla/5.0"'

# A hub of its own around the starter content, less what 1.4.6 does not know (see Tests/Content/trial.py).
mkdir -p "$WORK/hub/.tests" && cp -a /usr/share/crowdsec/hub/.index.json "$WORK/hub/"
cp -a "$ROOT"/deploy/etc/crowdsec/{parsers,scenarios} "$WORK/hub/"
for item in "$WORK"/hub/scenarios/*; do
    sed -i '/^  classification:$/,/^  [^ ]\|^[^ ]/{/^  classification:$/d;/^    - /d}' "$item"
done
cp "$WORK/theirs/profiles.yaml" "$WORK/hub/.tests/template_profiles.yaml"
echo 'simulation: off' > "$WORK/hub/.tests/template_simulation.yaml"

# hub_test NAME: passes when its own runner, with our agent, finds every assertion true.
hub_test() {
    local test=$WORK/hub/.tests/$1
    cp -a "$ROOT/Tests/Fixtures/hubtests/$1" "$test"
    # It downloads data files, and ours have no address.
    sed -i -e '/crowd-http-[bp]/d; s#\.\./\.\./\.\./\.\./deploy/etc/crowdsec/#./#' \
        -e 's#\(parsers/[^/]*\)/\./#\1/test/#' "$test/config.yaml"
    sed "s#@#$test/runtime/#g" > "$WORK/hub/.tests/template_config.yaml" << 'END'
common: {daemonize: false, log_media: stdout, log_level: info, working_dir: .}
config_paths: {config_dir: "@", data_dir: "@data/", simulation_path: "@simulation.yaml", hub_dir: "@hub/", index_path: "@hub/.index.json"}
crowdsec_service: {acquisition_path: /dev/null, parser_routines: 1}
db_config: {type: sqlite, db_path: "@data/crowdsec.db"}
api:
  client: {credentials_path: "@local_api_credentials.yaml"}
  server: {listen_uri: 127.0.0.1:8079, profiles_path: "@profiles.yaml"}
prometheus: {enabled: false}
END
    theirs hubtest run "$1" --hub "$WORK/hub" --crowdsec "$WORK/programs/crowdsec" --cscli /usr/bin/cscli --clean \
        < /dev/null 2>&1 | tee "$WORK/hubtest.out"
    grep -q 'passed successfully' "$WORK/hubtest.out" && ! grep -q '🔴\|❌' "$WORK/hubtest.out"
}
for stage in "$WORK"/hub/parsers/*; do mkdir "$stage/test" && mv "$stage"/*.yaml "$stage/test/"; done
for name in crowd-ssh-bf crowd-port-scan; do check "runs the hub test $name" hub_test "$name"; done
