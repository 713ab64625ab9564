# Shared by the demo and the benchmarks (sourced): two hosts made of network namespaces, and the suite on one of them.
# Everything lives under $WORK and in namespaces named after this process; `tear_down` removes all of it.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${CROWD_BIN:-$ROOT/.build/release}
NET=$ROOT/Tests/Demo/net.py
WORK=$(mktemp -d /tmp/crowd-demo.XXXXXX)
EDGE=crowd-edge-$$ ATTACKER=crowd-attacker-$$
EDGE_IP=203.0.113.1 ATTACKER_IP=203.0.113.66
CONFIG=$WORK/etc/crowdsec/config.yaml
BOUNCER_CONFIG=$WORK/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml
FOLLOWED=$WORK/auth.log
PIDS=()
declare -A SERVICE

edge() { ip netns exec "$EDGE" "$@"; }
attacker() { ip netns exec "$ATTACKER" "$@"; }
cscli() { edge "$BIN/cscli" -c "$CONFIG" "$@"; }

# Runs a command that takes a while so that a signal to this script is acted on at once, not when the command is done.
interruptible() {
    "$@" &
    PIDS+=("$!")
    wait "$!"
}

need_root_and_programs() {
    [ "$(id -u)" -eq 0 ] || { echo "this needs root: it makes network namespaces" >&2; exit 1; }
    local program
    for program in crowd-agent crowd-lapi crowd-bouncer cscli; do
        [ -x "$BIN/$program" ] || { echo "$BIN/$program is not there; run make build first" >&2; exit 1; }
    done
}

# Two namespaces and the cable between them.
make_hosts() {
    ip netns add "$EDGE" && ip netns add "$ATTACKER" || return 1
    ip link add "edge$$" type veth peer name "atk$$" || return 1
    ip link set "edge$$" netns "$EDGE" name eth0 && ip link set "atk$$" netns "$ATTACKER" name eth0 || return 1
    ip -n "$EDGE" link set lo up && ip -n "$EDGE" address add "$EDGE_IP/24" dev eth0 && ip -n "$EDGE" link set eth0 up &&
        ip -n "$ATTACKER" link set lo up && ip -n "$ATTACKER" address add "$ATTACKER_IP/24" dev eth0 &&
        ip -n "$ATTACKER" link set eth0 up
}

remove_hosts() {
    ip netns del "$EDGE" 2> /dev/null
    ip netns del "$ATTACKER" 2> /dev/null
    return 0
}

# A certificate authority for one day, and the Local API's certificate from it.
make_certificates() {
    local d=$WORK/tls
    mkdir -p "$d" && (
        cd "$d" || exit 1
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj "/CN=demo CA" \
            -keyout ca.key -out ca.crt
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' > san
        openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile san -out server.crt
    ) > "$d/openssl.log" 2>&1
}

# The shipped /etc/crowdsec, with what differs here in .local files.
make_configuration() {
    rm -rf "$WORK/etc" "$WORK/data" "$WORK/log" "$WORK/run"
    mkdir -p "$WORK/log" "$WORK/run" "$WORK/etc" && cp -a "$ROOT/deploy/etc/crowdsec" "$WORK/etc/" &&
        cp -a "$ROOT/deploy/var/lib/crowdsec/data" "$WORK/data" || return 1
    : > "$FOLLOWED"
    rm -f "$WORK"/etc/crowdsec/acquis.d/*
    printf 'filenames:\n  - %s\nlabels:\n  type: syslog\n' "$FOLLOWED" > "$WORK/etc/crowdsec/acquis.yaml"
    cat > "$CONFIG.local" << EOF
common: {log_dir: $WORK/log/}
config_paths:
  config_dir: $WORK/etc/crowdsec/
  data_dir: $WORK/data/
  simulation_path: $WORK/etc/crowdsec/simulation.yaml
  hub_dir: ${CROWD_HUB:-$WORK/etc/crowdsec/hub}/
  index_path: ${CROWD_HUB:-$WORK/etc/crowdsec/hub}/.index.json
  notification_dir: $WORK/etc/crowdsec/notifications/
  plugin_dir: $WORK/plugins/
crowdsec_service:
  acquisition_path: $WORK/etc/crowdsec/acquis.yaml
  acquisition_dir: $WORK/etc/crowdsec/acquis.d
db_config: {db_path: $WORK/data/crowdsec.db}
api:
  client: {credentials_path: $WORK/etc/crowdsec/local_api_credentials.yaml}
  server:
    profiles_path: $WORK/etc/crowdsec/profiles.yaml
    console_path: $WORK/etc/crowdsec/console.yaml
    tls: {cert_file: $WORK/tls/server.crt, key_file: $WORK/tls/server.key}
EOF
    printf 'url: https://127.0.0.1:8080\nca_cert_path: %s\n' "$WORK/tls/ca.crt" \
        > "$WORK/etc/crowdsec/local_api_credentials.yaml.local"
}

# Registers the machine (writes its credentials) and the bouncer (writes its key), as an operator would.
register() {
    local key
    cscli machines add edge01 --auto --force --url https://127.0.0.1:8080 > "$WORK/log/machines-add.out" 2>&1 || return 1
    key=$(cscli bouncers add firewall -o raw 2> "$WORK/log/bouncers-add.err") && [ -n "$key" ] || return 1
    cat > "$BOUNCER_CONFIG.local" << EOF
api_url: https://127.0.0.1:8080/
api_key: $key
ca_cert_path: $WORK/tls/ca.crt
log_dir: $WORK/log/
state_dir: $WORK/bouncer-state
prometheus: {enabled: true}
EOF
    chmod 600 "$BOUNCER_CONFIG.local"
}

# start NAME PROGRAM ARGUMENTS: runs a service on the edge and waits until it says that it is ready.
start() {
    local name=$1 socket=$WORK/run/$1.sock waiter
    shift
    rm -f "$socket"
    python3 "$NET" await-ready "$socket" 20 &
    waiter=$!
    until [ -S "$socket" ] || ! kill -0 "$waiter" 2> /dev/null; do sleep 0.02; done
    NOTIFY_SOCKET=$socket ip netns exec "$EDGE" "$@" > "$WORK/log/$name.out" 2>&1 &
    SERVICE[$name]=$!
    PIDS+=("$!")
    wait "$waiter" && kill -0 "${SERVICE[$name]}" 2> /dev/null
}

start_lapi() { start crowd-lapi "$BIN/crowd-lapi" -c "$CONFIG"; }
start_agent() { start crowd-agent "$BIN/crowd-agent" -c "$CONFIG"; }
start_bouncer() { start crowd-bouncer "$BIN/crowd-bouncer" -c "$BOUNCER_CONFIG"; }

# stop NAME: asks a service to end and gives back its exit code.
stop() {
    kill "${SERVICE[$1]}" 2> /dev/null
    wait "${SERVICE[$1]}"
}

rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

# Resident memory of the three services together, in megabytes.
rss_of_services() {
    local total=0 name
    for name in crowd-agent crowd-lapi crowd-bouncer; do total=$((total + $(rss_kb "${SERVICE[$name]}"))); done
    awk -v kb="$total" 'BEGIN { printf "%.1f", kb / 1024 }'
}

show_logs() {
    local file
    for file in "$WORK"/log/*; do
        [ -s "$file" ] || continue
        printf -- '--- %s\n' "${file##*/}"
        tail -n 15 "$file"
    done
}

tear_down() {
    local pid
    for pid in "${PIDS[@]}"; do kill "$pid" 2> /dev/null; done
    for pid in "${PIDS[@]}"; do
        for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2> /dev/null
        wait "$pid" 2> /dev/null
    done
    remove_hosts
    if [ -n "${KEEP:-}" ]; then echo "kept: $WORK"; else rm -rf "$WORK"; fi
}
