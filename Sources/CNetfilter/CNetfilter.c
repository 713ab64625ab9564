#define _GNU_SOURCE
#include "CNetfilter.h"
#include <endian.h>
#include <string.h>
#include <sys/mman.h>

static uint8_t *head(uint8_t *at, uint16_t type, size_t length) {
    struct nlattr head = {.nla_len = (uint16_t)(NLA_HDRLEN + length), .nla_type = type};
    memcpy(at, &head, sizeof head);
    return at + NLA_HDRLEN;
}

static uint8_t *value(uint8_t *at, uint16_t type, const void *bytes, size_t length) {
    memcpy(head(at, type, length), bytes, length);
    return at + NLA_HDRLEN + NLA_ALIGN(length);
}

size_t crowd_nft_put_element(uint8_t *at, size_t room, const uint8_t *key, uint16_t key_length, uint32_t flags,
                             uint64_t timeout_ms) {
    size_t inner = NLA_HDRLEN + NLA_ALIGN(key_length);
    size_t payload = NLA_HDRLEN + inner + (flags ? NLA_HDRLEN + 4 : 0) + (timeout_ms ? NLA_HDRLEN + 8 : 0);
    if (NLA_HDRLEN + payload > room) return 0;
    uint32_t wire_flags = htobe32(flags);
    uint64_t wire_timeout = htobe64(timeout_ms);
    uint8_t *next = head(at, NLA_F_NESTED | NFTA_LIST_ELEM, payload);
    next = value(head(next, NLA_F_NESTED | NFTA_SET_ELEM_KEY, inner), NFTA_DATA_VALUE, key, key_length);
    if (flags) next = value(next, NFTA_SET_ELEM_FLAGS, &wire_flags, 4);
    if (timeout_ms) value(next, NFTA_SET_ELEM_TIMEOUT, &wire_timeout, 8);
    return NLA_HDRLEN + payload;
}

int crowd_memory_file(void) { return memfd_create("crowd-bouncer", MFD_CLOEXEC); }
