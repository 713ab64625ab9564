#pragma once
#include "../../CNetfilterSystem/shim.h"

/* Newer than Debian 12's kernel headers: deletes what may not be there (Linux 6.3). */
enum { CROWD_NFT_MSG_DESTROYTABLE = 26, CROWD_NFT_MSG_DESTROYSETELEM = 30 };
/* How many elements a set has (Linux 6.16). */
enum { CROWD_NFTA_SET_COUNT = 20 };
/* Not in any header that Swift can see. */
enum { CROWD_SOL_NETLINK = 270, CROWD_NETLINK_CAP_ACK = 10, CROWD_NETLINK_EXT_ACK = 11 };

/* Appends one set element (a nested list entry with key, optional flags, optional timeout in milliseconds) at `at`.
 * Returns its length, or 0 when `room` is too small. */
size_t crowd_nft_put_element(uint8_t *at, size_t room, const uint8_t *key, uint16_t key_length, uint32_t flags,
                             uint64_t timeout_ms);

/* A file without a name, closed on exec; -1 and errno on failure. */
int crowd_memory_file(void);
