# Sourced by accept.sh: the same with a PostgreSQL database that 1.4.6 made.

start_postgres() {
    rm -f "$WORK/postgres.host" "$WORK/postgres.stop"
    # shellcheck disable=SC2016
    inside env PG_OPTIONS="-c listen_addresses=127.0.0.1" "$ROOT/Tests/Benchmarks/postgres.sh" sh -c \
        'echo "$PGHOST" > "$1/postgres.host"; while [ ! -e "$1/postgres.stop" ]; do sleep 0.2; done' sh "$WORK" > "$WORK/postgres.log" 2>&1 &
    POSTGRES_PID=$!
    within 30 test -s "$WORK/postgres.host"
}
stop_postgres() {
    [ -n "${POSTGRES_PID:-}" ] || return 0
    : > "$WORK/postgres.stop"
    wait "$POSTGRES_PID" 2> /dev/null
    POSTGRES_PID=''
}

echo "A PostgreSQL database of Debian's server taken over"
if ! ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then
    skip "package postgresql is not installed"
    return 0
fi
check "a PostgreSQL server" start_postgres
# on_postgres FILE TYPE: its `db_config`, instead of the one that is there; flush stays as it is.
on_postgres() {
    python3 - "$@" << 'END'
import sys, yaml
path, kind = sys.argv[1:]
with open(path) as file:
    config = yaml.safe_load(file)
flush = config["db_config"].get("flush", {})
config["db_config"] = {"type": kind, "host": "127.0.0.1", "port": 5432, "user": "crowd", "db_name": "postgres", "flush": flush}
with open(path, "w") as file:
    yaml.safe_dump(config, file)
END
}
cp "$WORK/ours/config.yaml.local" "$WORK/ours/local.before"
check "both are configured for it" eval 'on_postgres "$WORK/theirs/config.yaml" pgx && on_postgres "$WORK/ours/config.yaml.local" postgresql'
fill_theirs
check "our server starts on it" start_ours
taken_over
stop "$LAPI_PID"
check "our server starts again" start_ours
check "with the same alerts" prints "192.0.2.42" theirs alerts list
shared_with_its_cscli
stop "$LAPI_PID"
stop_postgres
cp "$WORK/theirs/config.before" "$WORK/theirs/config.yaml"
cp "$WORK/ours/local.before" "$WORK/ours/config.yaml.local"
