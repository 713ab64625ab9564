#pragma once
#include "../../CCurlSystem/shim.h"

/* curl's setters and getters take variable arguments, which Swift cannot pass: one function per type of value. */
CURLcode crowd_curl_set_long(CURL *easy, CURLoption option, long value);
CURLcode crowd_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode crowd_curl_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode crowd_curl_set_pointer(CURL *easy, CURLoption option, const void *value);
CURLcode crowd_curl_get_long(CURL *easy, CURLINFO info, long *value);

/* Called with each piece of the body or each header line; returns how much was taken, anything else aborts. */
typedef size_t (*crowd_curl_sink)(char *bytes, size_t size, size_t count, void *context);
CURLcode crowd_curl_set_sinks(CURL *easy, crowd_curl_sink body, crowd_curl_sink header, void *context);

/* The next finished transfer, if any. */
CURL *crowd_curl_finished(CURLM *multi, CURLcode *result);
