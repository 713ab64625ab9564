#include "CPostgres.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stddef.h>

// One pointer for each function that is used, with the type that libpq's own header gives it.
#define FUNCTIONS(each) \
    each(PQconnectdbParams) each(PQsetNoticeProcessor) each(PQfinish) each(PQstatus) each(PQtransactionStatus) \
    each(PQsocket) each(PQerrorMessage) each(PQexec) each(PQprepare) each(PQexecPrepared) each(PQsendQueryPrepared) \
    each(PQsetSingleRowMode) each(PQgetResult) each(PQconsumeInput) each(PQnotifies) each(PQfreemem) \
    each(PQresultStatus) each(PQresultErrorMessage) each(PQresultErrorField) each(PQcmdTuples) each(PQntuples) \
    each(PQgetisnull) each(PQgetlength) each(PQgetvalue) each(PQclear)

#define DECLARE(name) static __typeof__(&name) p_##name;
FUNCTIONS(DECLARE)

static const char *problem;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        problem = dlerror();
        return;
    }
#define FIND(name) \
    p_##name = (__typeof__(p_##name))dlsym(library, #name); \
    if (p_##name == NULL) problem = "libpq.so.5 lacks " #name;
    FUNCTIONS(FIND)
}

const char *crowd_pq_load(void) {
    pthread_once(&once, load);
    return problem;
}

static void ignore_notice(void *context, const char *text) { (void)context, (void)text; }

struct pg_conn *crowd_pq_connect(const char *const *names, const char *const *values) {
    PGconn *connection = p_PQconnectdbParams(names, values, 0);
    if (connection != NULL) p_PQsetNoticeProcessor(connection, ignore_notice, NULL);
    return connection;
}

void crowd_pq_finish(struct pg_conn *connection) { p_PQfinish(connection); }

int crowd_pq_is_connected(const struct pg_conn *connection) { return p_PQstatus(connection) == CONNECTION_OK; }

int crowd_pq_is_in_transaction(const struct pg_conn *connection) {
    PGTransactionStatusType status = p_PQtransactionStatus(connection);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

int crowd_pq_socket(const struct pg_conn *connection) { return p_PQsocket(connection); }

const char *crowd_pq_connection_error(const struct pg_conn *connection) { return p_PQerrorMessage(connection); }

struct pg_result *crowd_pq_execute(struct pg_conn *connection, const char *sql) { return p_PQexec(connection, sql); }

struct pg_result *crowd_pq_prepare(struct pg_conn *connection, const char *name, const char *sql) {
    return p_PQprepare(connection, name, sql, 0, NULL);
}

struct pg_result *crowd_pq_run(struct pg_conn *connection, const char *name, int count, const char *const *values) {
    return p_PQexecPrepared(connection, name, count, values, NULL, NULL, 0);
}

int crowd_pq_ask(struct pg_conn *connection, const char *name, int count, const char *const *values) {
    if (p_PQsendQueryPrepared(connection, name, count, values, NULL, NULL, 0) != 1) return 0;
    p_PQsetSingleRowMode(connection);
    return 1;
}

struct pg_result *crowd_pq_next(struct pg_conn *connection) { return p_PQgetResult(connection); }

int crowd_pq_consume(struct pg_conn *connection) {
    return p_PQconsumeInput(connection) == 1 && crowd_pq_is_connected(connection);
}

int crowd_pq_take_notification(struct pg_conn *connection) {
    PGnotify *notification = p_PQnotifies(connection);
    if (notification == NULL) return 0;
    p_PQfreemem(notification);
    return 1;
}

int crowd_pq_is_good(const struct pg_result *result) {
    switch (p_PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_EMPTY_QUERY: return 1;
    default: return 0;
    }
}

const char *crowd_pq_error(const struct pg_result *result) { return p_PQresultErrorMessage(result); }

const char *crowd_pq_state(const struct pg_result *result) { return p_PQresultErrorField(result, PG_DIAG_SQLSTATE); }

const char *crowd_pq_changed(struct pg_result *result) { return p_PQcmdTuples(result); }

int crowd_pq_rows(const struct pg_result *result) { return p_PQntuples(result); }

int crowd_pq_is_null(const struct pg_result *result, int row, int column) { return p_PQgetisnull(result, row, column); }

int crowd_pq_length(const struct pg_result *result, int row, int column) { return p_PQgetlength(result, row, column); }

const char *crowd_pq_value(const struct pg_result *result, int row, int column) {
    return p_PQgetvalue(result, row, column);
}

void crowd_pq_clear(struct pg_result *result) { p_PQclear(result); }
