#include "CMicroHTTP.h"

struct MHD_Daemon *crowd_mhd_start(int fd, MHD_AccessHandlerCallback handler, void *context,
                                   unsigned max_connections, unsigned timeout_seconds, size_t memory_per_connection) {
    return MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, handler, context,
                            MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_CONNECTION_LIMIT, max_connections,
                            MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_per_connection,
                            MHD_OPTION_END);
}

enum MHD_Result crowd_mhd_reply(struct MHD_Connection *connection, unsigned status, const void *body, size_t length,
                                const char *content_type) {
    struct MHD_Response *response = MHD_create_response_from_buffer(length, (void *)body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}
