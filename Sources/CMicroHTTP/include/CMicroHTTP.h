#pragma once
#include "../../CMicroHTTPSystem/shim.h"

/* MHD_start_daemon takes its options as variable arguments, which Swift cannot pass.
 * Serves on the bound, listening socket `fd` with one thread of its own. */
struct MHD_Daemon *crowd_mhd_start(int fd, MHD_AccessHandlerCallback handler, void *context,
                                   unsigned max_connections, unsigned timeout_seconds, size_t memory_per_connection);

/* Queues a copy of `body` as the answer. */
enum MHD_Result crowd_mhd_reply(struct MHD_Connection *connection, unsigned status, const void *body, size_t length,
                                const char *content_type);
