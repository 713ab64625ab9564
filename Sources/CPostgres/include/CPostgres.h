#pragma once

// Flat calls over libpq. The library and all that it brings are loaded with the first connection, because most servers
// work over SQLite and need none of it. What libpq says of each function holds.

struct pg_conn;
struct pg_result;

// Why the library cannot be loaded; NULL when it is there.
const char *crowd_pq_load(void);

// Connects and keeps notices off standard error.
struct pg_conn *crowd_pq_connect(const char *const *names, const char *const *values);
void crowd_pq_finish(struct pg_conn *connection);
int crowd_pq_is_connected(const struct pg_conn *connection);
int crowd_pq_is_in_transaction(const struct pg_conn *connection);
int crowd_pq_socket(const struct pg_conn *connection);
const char *crowd_pq_connection_error(const struct pg_conn *connection);

struct pg_result *crowd_pq_execute(struct pg_conn *connection, const char *sql);
struct pg_result *crowd_pq_prepare(struct pg_conn *connection, const char *name, const char *sql);
struct pg_result *crowd_pq_run(struct pg_conn *connection, const char *name, int count, const char *const *values);
// Asks for a result row by row; 1 when the question was sent.
int crowd_pq_ask(struct pg_conn *connection, const char *name, int count, const char *const *values);
struct pg_result *crowd_pq_next(struct pg_conn *connection);
// Reads what there is; 0 when the connection is lost.
int crowd_pq_consume(struct pg_conn *connection);
// 1 when there was a notification.
int crowd_pq_take_notification(struct pg_conn *connection);

int crowd_pq_is_good(const struct pg_result *result);
const char *crowd_pq_error(const struct pg_result *result);
// The five characters of SQLSTATE, or NULL.
const char *crowd_pq_state(const struct pg_result *result);
const char *crowd_pq_changed(struct pg_result *result);
int crowd_pq_rows(const struct pg_result *result);
int crowd_pq_is_null(const struct pg_result *result, int row, int column);
int crowd_pq_length(const struct pg_result *result, int row, int column);
const char *crowd_pq_value(const struct pg_result *result, int row, int column);
void crowd_pq_clear(struct pg_result *result);
