# Sourced by accept.sh: PostgreSQL over TLS, with client certificates, and behind pgbouncer.

if ! ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then
    skip "package postgresql is not installed"
    return 0
fi
echo "PostgreSQL over TLS and behind a pooler"
TLS=$WORK/pg-tls
mkdir -p "$TLS"
# An authority, another one, the server's certificate for 127.0.0.1, and one that names the user crowd.
pg_authorities() {
    for name in ca other; do
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$name" -keyout "$TLS/$name.key" -out "$TLS/$name.crt" || return 1
    done
    printf 'subjectAltName=IP:127.0.0.1\n' > "$TLS/ext"
    for name in server crowd; do
        openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$TLS/$name.key" -out "$TLS/$name.csr" &&
            openssl x509 -req -in "$TLS/$name.csr" -CA "$TLS/ca.crt" -CAkey "$TLS/ca.key" -CAcreateserial -days 2 \
                -extfile "$TLS/ext" -out "$TLS/$name.crt" || return 1
    done
    printf 'local all all trust\nhostssl all all 127.0.0.1/32 cert\n' > "$TLS/hba"
    # The server runs as postgres and wants its key for itself; libpq wants the same of a client's.
    chmod 711 "$WORK" && chmod 755 "$TLS" && chmod 600 "$TLS"/*.key && chmod 644 "$TLS/hba" && chown postgres "$TLS/server.key"
}
start_tls_postgres() {
    rm -f "$WORK/postgres.host" "$WORK/postgres.stop"
    local options="-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file=$TLS/server.crt -c ssl_key_file=$TLS/server.key"
    # shellcheck disable=SC2016
    inside env PG_OPTIONS="$options -c ssl_ca_file=$TLS/ca.crt -c hba_file=$TLS/hba" "$ROOT/Tests/Benchmarks/postgres.sh" sh -c \
        'echo "$PGHOST" > "$1/postgres.host"; while [ ! -e "$1/postgres.stop" ]; do sleep 0.2; done' sh "$WORK" > "$WORK/postgres.log" 2>&1 &
    POSTGRES_PID=$!
    within 30 test -s "$WORK/postgres.host"
}
# with_database KEYS: our configuration with this `db_config`, in YAML's flow form.
with_database() { sed -e "s#^db_config: .*#db_config: {$1, flush: {max_age: 36500d}}#" "$WORK/ours/local.before" > "$WORK/ours/config.yaml.local"; }
TLS_DATABASE="type: pgx, host: 127.0.0.1, port: 5432, user: crowd, db_name: postgres"
TLS_CLIENT="ssl_client_cert: $TLS/crowd.crt, ssl_client_key: $TLS/crowd.key"
refused_with() { # PATTERN KEYS
    with_database "$2"
    prints "$1" inside timeout 20 "$BIN/crowd-lapi" -c "$WORK/ours/config.yaml"
}
works_with() { # KEYS
    with_database "$1"
    start_ours && ours machines list -o raw
    local status=$?
    stop "$LAPI_PID"
    return "$status"
}
all_encrypted() {
    with_database "$TLS_DATABASE, sslmode: verify-full, ssl_ca_cert: $TLS/ca.crt, $TLS_CLIENT"
    start_ours || return 1
    PGHOST=$(cat "$WORK/postgres.host") psql -U crowd -d postgres -A -t -c \
        "SELECT count(*), bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'crowd-lapi'"
    stop "$LAPI_PID"
}
cp "$WORK/ours/config.yaml.local" "$WORK/ours/local.before"
check "certificates" pg_authorities
check "a PostgreSQL server that wants client certificates" start_tls_postgres
check "our server works with sslmode verify-full" works_with \
    "$TLS_DATABASE, sslmode: verify-full, ssl_ca_cert: $TLS/ca.crt, $TLS_CLIENT"
check "all its connections are encrypted" prints '^[1-9][0-9]*|t$' all_encrypted
check "and with sslmode require" works_with "$TLS_DATABASE, sslmode: require, $TLS_CLIENT"
check "another authority is refused" refused_with "certificate verify failed" \
    "$TLS_DATABASE, sslmode: verify-full, ssl_ca_cert: $TLS/other.crt, $TLS_CLIENT"
check "so is an authority that is not there" refused_with "$TLS/none.crt" \
    "$TLS_DATABASE, sslmode: verify-full, ssl_ca_cert: $TLS/none.crt, $TLS_CLIENT"
check "no certificate is refused" refused_with "certificate" "$TLS_DATABASE, sslmode: require"
check "no encryption is refused" refused_with "no pg_hba.conf entry\|no encryption" "$TLS_DATABASE, sslmode: disable"
check "a word that is no sslmode is named" refused_with "sslmode" "$TLS_DATABASE, sslmode: sometimes"

if ! command -v pgbouncer > /dev/null; then
    skip "package pgbouncer is not installed"
else
    start_pooler() { # MODE
        printf '[databases]\npostgres = host=%s dbname=postgres user=crowd\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = 6432\n' \
            "$(cat "$WORK/postgres.host")" > "$TLS/pooler.ini"
        printf 'auth_type = any\npool_mode = %s\nunix_socket_dir =\nlogfile = %s/pooler.log\n' "$1" "$TLS" >> "$TLS/pooler.ini"
        chmod 777 "$TLS"
        background pooler setpriv --reuid=postgres --regid=postgres --clear-groups pgbouncer "$TLS/pooler.ini"
        POOLER_PID=$LAST_PID
        sleep 1
    }
    POOLED="type: pgx, host: 127.0.0.1, port: 6432, user: crowd, db_name: postgres"
    start_pooler session
    check "behind pgbouncer with sessions it works" works_with "$POOLED"
    stop "$POOLER_PID"
    start_pooler transaction
    check "behind pgbouncer with transactions it says what is wrong" refused_with "pool_mode = session" "$POOLED"
    stop "$POOLER_PID"
fi
stop_postgres
cp "$WORK/ours/local.before" "$WORK/ours/config.yaml.local"
