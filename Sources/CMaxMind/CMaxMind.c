#include "CMaxMind.h"

#include "../CMaxMindSystem/shim.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct crowd_mmdb { MMDB_s db; };

crowd_mmdb *crowd_mmdb_open(const char *path, char *error, size_t error_size) {
    crowd_mmdb *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    int status = MMDB_open(path, MMDB_MODE_MMAP, &made->db);
    if (status == MMDB_SUCCESS) return made;
    strncpy(error, MMDB_strerror(status), error_size - 1);
    error[error_size - 1] = 0;
    free(made);
    return NULL;
}

void crowd_mmdb_close(crowd_mmdb *db) {
    if (db == NULL) return;
    MMDB_close(&db->db);
    free(db);
}

int crowd_mmdb_lookup(const crowd_mmdb *db, uint64_t high, uint64_t low, int is_v6, crowd_mmdb_entry *entry) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const struct sockaddr *name = is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
    v4.sin_addr.s_addr = htonl((uint32_t)low);
    uint32_t words[4] = {htonl((uint32_t)(high >> 32)), htonl((uint32_t)high), htonl((uint32_t)(low >> 32)),
                         htonl((uint32_t)low)};
    memcpy(&v6.sin6_addr, words, sizeof words);
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(&db->db, name, &error);
    if (error != MMDB_SUCCESS) return 0;
    entry->found = result.found_entry;
    entry->offset = result.entry.offset;
    // In a database of IPv6 networks an IPv4 address lies below ::/96.
    int shift = !is_v6 && db->db.metadata.ip_version == 6 && result.netmask >= 96 ? 96 : 0;
    entry->netmask = (uint16_t)(result.netmask - shift);
    return 1;
}

static int value_at(const crowd_mmdb *db, uint32_t offset, const char *const *path, MMDB_entry_data_s *data) {
    MMDB_entry_s entry = {.mmdb = &db->db, .offset = offset};
    return MMDB_aget_value(&entry, data, path) == MMDB_SUCCESS && data->has_data;
}

int crowd_mmdb_text(const crowd_mmdb *db, uint32_t offset, const char *const *path, const char **text, uint32_t *length) {
    MMDB_entry_data_s data;
    if (!value_at(db, offset, path, &data) || data.type != MMDB_DATA_TYPE_UTF8_STRING) return 0;
    *text = data.utf8_string;
    *length = data.data_size;
    return 1;
}

int crowd_mmdb_number(const crowd_mmdb *db, uint32_t offset, const char *const *path, double *number) {
    MMDB_entry_data_s data;
    if (!value_at(db, offset, path, &data)) return 0;
    switch (data.type) {
        case MMDB_DATA_TYPE_DOUBLE: *number = data.double_value; return 1;
        case MMDB_DATA_TYPE_FLOAT: *number = data.float_value; return 1;
        case MMDB_DATA_TYPE_UINT16: *number = data.uint16; return 1;
        case MMDB_DATA_TYPE_UINT32: *number = data.uint32; return 1;
        case MMDB_DATA_TYPE_INT32: *number = data.int32; return 1;
        case MMDB_DATA_TYPE_UINT64: *number = (double)data.uint64; return 1;
        default: return 0;
    }
}

int crowd_mmdb_bool(const crowd_mmdb *db, uint32_t offset, const char *const *path, int *value) {
    MMDB_entry_data_s data;
    if (!value_at(db, offset, path, &data) || data.type != MMDB_DATA_TYPE_BOOLEAN) return 0;
    *value = data.boolean;
    return 1;
}
