#!/usr/bin/env bash
# Runs a command beside a PostgreSQL server of its own: in a private directory, over a unix socket, gone afterwards.
#
# usage: Tests/Benchmarks/postgres.sh COMMAND...   DATABASE holds the `db_config` of an empty database, for the command
# env: PG_OPTIONS (default none: durable, as Debian configures it)
set -uo pipefail
BIN=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2> /dev/null | sort -V | tail -n 1)
[ -n "$BIN" ] || { echo "postgres.sh: package postgresql is missing" >&2; exit 1; }
WORK=$(mktemp -d /tmp/crowd-pg.XXXXXX)
# PostgreSQL refuses to run as root.
as_owner() { if [ "$(id -u)" -eq 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
[ "$(id -u)" -ne 0 ] || chown postgres:postgres "$WORK"
chmod 755 "$WORK"
finish() {
    as_owner "$BIN/pg_ctl" -D "$WORK/data" -w -m immediate stop > /dev/null 2>&1
    rm -rf "$WORK"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
as_owner "$BIN/initdb" -D "$WORK/data" -U crowd -A trust -E UTF8 --locale=C.UTF-8 > "$WORK/initdb.log" 2>&1 &&
    as_owner "$BIN/pg_ctl" -D "$WORK/data" -w -l "$WORK/data/log" -o "-k $WORK -c listen_addresses= ${PG_OPTIONS:-}" start > /dev/null ||
    { cat "$WORK/initdb.log" "$WORK/data/log" >&2; exit 1; }
export DATABASE="{type: postgresql, db_path: $WORK, user: crowd, db_name: postgres}" PGHOST=$WORK PGUSER=crowd PGDATABASE=postgres
"$@"
