# Sourced by accept.sh: a network namespace, our Local API in it, and the configuration of Debian's clients.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BIN=${CROWD_BIN:-$ROOT/.build/release}
WORK=$(mktemp -d /tmp/crowd-accept.XXXXXX)
NETNS=crowd-accept-$$
PIDS=()
FAILED=0 PASSED=0

inside() { ip netns exec "$NETNS" "$@"; }
ours() { inside "$BIN/cscli" -c "$WORK/ours/config.yaml" "$@"; }
theirs() { inside /usr/bin/cscli -c "$WORK/theirs/config.yaml" "$@"; }

skip() { echo "  skip  $*"; }

# debians PACKAGE: whether Debian's is here; says which, or that what needs it is left out.
debians() {
    if [ ! -x "/usr/bin/$1" ]; then
        skip "Debian's $1 is not installed (make accept installs it)"
        return 1
    fi
    echo "Debian's $1 $(dpkg-query -W -f '${Version}' "$1")"
}

# check WHAT COMMAND...: says whether the command succeeded, and shows what it printed when it did not.
check() {
    local what=$1
    shift
    if "$@" > "$WORK/check.out" 2>&1; then
        PASSED=$((PASSED + 1))
        printf '  ok    %s\n' "$what"
    else
        FAILED=$((FAILED + 1))
        printf '  FAIL  %s\n' "$what"
        sed 's/^/        | /' "$WORK/check.out" | tail -n 15
    fi
}

# within SECONDS COMMAND...: tries again, four times a second, until it succeeds.
within() {
    local tries=$(($1 * 4))
    shift
    while ! "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.25
    done
}

# prints PATTERN COMMAND...: whether the command's output has a line with the pattern.
prints() {
    local pattern=$1
    shift
    "$@" > "$WORK/prints.out" 2>&1
    cat "$WORK/prints.out"
    grep -q -- "$pattern" "$WORK/prints.out"
}

# background NAME COMMAND...: in the namespace; its pid is in LAST_PID, its output in $WORK/NAME.log.
background() {
    local name=$1
    shift
    ip netns exec "$NETNS" "$@" > "$WORK/$name.log" 2>&1 &
    LAST_PID=$!
    PIDS+=("$LAST_PID")
}

stop() {
    kill "$1" 2> /dev/null
    wait "$1" 2> /dev/null
}

answers() { inside curl -sf -o /dev/null http://127.0.0.1:8080/health; }

# What 1.4.6 answers without a key shows that it listens.
old_server_answers() { inside curl -s -o /dev/null http://127.0.0.1:8080/v1/decisions; }

start_ours() {
    background crowd-lapi "$BIN/crowd-lapi" -c "$WORK/ours/config.yaml"
    LAPI_PID=$LAST_PID
    within 10 answers
}

# The shipped /etc/crowdsec with what differs here in config.yaml.local.
configure_ours() {
    mkdir -p "$WORK/ours" "$WORK/data" "$WORK/log" && cp -a "$ROOT/deploy/etc/crowdsec/." "$WORK/ours/" || return 1
    cat > "$WORK/ours/config.yaml.local" << END
common: {log_dir: $WORK/log/}
config_paths:
  config_dir: $WORK/ours/
  data_dir: $WORK/data/
  simulation_path: $WORK/ours/simulation.yaml
  hub_dir: $WORK/ours/hub/
  index_path: $WORK/ours/hub/.index.json
  notification_dir: $WORK/ours/notifications/
crowdsec_service: {acquisition_path: $WORK/ours/acquis.yaml, acquisition_dir: $WORK/ours/acquis.d}
db_config: {db_path: $WORK/data/crowdsec.db, flush: {max_age: 36500d}}
api:
  client: {credentials_path: $WORK/ours/local_api_credentials.yaml}
  server: {listen_uri: 127.0.0.1:8080, profiles_path: $WORK/ours/profiles.yaml, console_path: $WORK/ours/console.yaml}
END
}

# Debian's own /etc/crowdsec, with its folders and credentials here; nothing of the system is written to.
configure_theirs() {
    mkdir -p "$WORK/theirs" "$WORK/old-data" "$WORK/old-log" && cp -a /etc/crowdsec/. "$WORK/theirs/" || return 1
    cp -a /var/lib/crowdsec/data/. "$WORK/old-data/" 2> /dev/null
    rm -f "$WORK/old-data"/crowdsec.db* "$WORK/theirs"/config.yaml.local "$WORK/theirs"/local_api_credentials.yaml*
    : > "$WORK/theirs/acquis.yaml"
    sed -i -e "s#/etc/crowdsec/#$WORK/theirs/#; s#/var/lib/crowdsec/data/#$WORK/old-data/#; s#/var/log/#$WORK/old-log/#" \
        -e 's/daemonize: true/daemonize: false/; s/log_media: file/log_media: stdout/' \
        -e '/online_client:/d; /online_api_credentials/d; s/max_age: 7d/max_age: 87600h/' \
        -e '/^prometheus:/,$ s/enabled: true/enabled: false/' \
        "$WORK/theirs/config.yaml"
}

tear_down() {
    local pid
    for pid in "${PIDS[@]}"; do stop "$pid"; done
    [ -z "${POSTGRES_PID:-}" ] || stop_postgres
    ip netns del "$NETNS" 2> /dev/null
    if [ "$FAILED" -gt 0 ]; then echo "logs are kept in $WORK"; else rm -rf "$WORK"; fi
}
