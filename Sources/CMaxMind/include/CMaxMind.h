#pragma once
#include <stddef.h>
#include <stdint.h>

// A thin C face of libmaxminddb: open a database, look an address up, read values by path.

typedef struct crowd_mmdb crowd_mmdb;

// NULL when the file cannot be used; the reason goes to `error`.
crowd_mmdb *crowd_mmdb_open(const char *path, char *error, size_t error_size);
void crowd_mmdb_close(crowd_mmdb *db);

typedef struct {
    int found;          // the address has an entry
    uint32_t offset;    // of the entry
    uint16_t netmask;   // length of its network, counted in the database's own address width
} crowd_mmdb_entry;

// The address as two halves in the host's byte order; an IPv4 address is the lower 32 bits of `low`. 0 when the look-up
// itself failed.
int crowd_mmdb_lookup(const crowd_mmdb *db, uint64_t high, uint64_t low, int is_v6, crowd_mmdb_entry *entry);

// Values at a NULL-terminated path of keys. 1 when there.
int crowd_mmdb_text(const crowd_mmdb *db, uint32_t offset, const char *const *path, const char **text, uint32_t *length);
int crowd_mmdb_number(const crowd_mmdb *db, uint32_t offset, const char *const *path, double *number);
int crowd_mmdb_bool(const crowd_mmdb *db, uint32_t offset, const char *const *path, int *value);
