# Sourced by accept.sh: the same requests to both servers, side by side (wire.py).

echo "The same requests to Debian's server and to ours"
WIRE_KEY=0123456789abcdef0123456789abcdef
# With one secret wire.py can sign tokens that neither server would make.
CS_LAPI_SECRET=$(printf 's%.0s' $(seq 64))
export CS_LAPI_SECRET
# wire_config WHO PORT: a server of its own with an empty database.
wire_config() {
    local there=$WORK/wire-$1
    mkdir -p "$there/hub" "$there/plugins" && cp "$ROOT/deploy/etc/crowdsec/profiles.yaml" "$there/" &&
        echo 'simulation: off' > "$there/simulation.yaml" && echo '{}' > "$there/hub/.index.json" && : > "$there/client.yaml"
    cat > "$there/config.yaml" << END
common: {daemonize: false, log_media: stdout, log_level: info, working_dir: .}
config_paths: {config_dir: $there, data_dir: $there, simulation_path: $there/simulation.yaml, hub_dir: $there/hub,
  index_path: $there/hub/.index.json, notification_dir: $there/plugins, plugin_dir: $there/plugins}
db_config: {type: sqlite, db_path: $there/crowdsec.db, use_wal: true}
api:
  client: {credentials_path: $there/client.yaml}
  server: {listen_uri: 127.0.0.1:$2, profiles_path: $there/profiles.yaml}
prometheus: {enabled: false}
END
}
wire_clients() { # CSCLI WHO
    inside "$1" -c "$WORK/wire-$2/config.yaml" machines add wire -p wire -f "$WORK/wire-$2/client.yaml" --force &&
        inside "$1" -c "$WORK/wire-$2/config.yaml" bouncers add edge -k "$WIRE_KEY"
}
wire_answers() { inside curl -s -o /dev/null "http://127.0.0.1:$1/v1/decisions"; }
wire_config ours 18390
wire_config theirs 18391
check "a machine and a bouncer of ours" wire_clients "$BIN/cscli" ours
check "a machine and a bouncer of theirs" wire_clients /usr/bin/cscli theirs
background wire-ours "$BIN/crowd-lapi" -c "$WORK/wire-ours/config.yaml"
WIRE_OURS=$LAST_PID
background wire-theirs /usr/bin/crowdsec -c "$WORK/wire-theirs/config.yaml" -no-cs
WIRE_THEIRS=$LAST_PID
check "ours is there" within 10 wire_answers 18390
check "theirs is there" within 15 wire_answers 18391
check "every difference is one that we know" inside python3 "$ROOT/Tests/Accept/wire.py" 127.0.0.1:18390 127.0.0.1:18391
sed 's/^/        /' "$WORK/check.out" | tail -n 1
stop "$WIRE_OURS"
stop "$WIRE_THEIRS"
unset CS_LAPI_SECRET
