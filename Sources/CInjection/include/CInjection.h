// libinjection, as it comes with libmodsecurity: loaded when it is first asked for, since few rules need it.
#pragma once

#include <stddef.h>

// Loads the library; NULL once it is there, otherwise what is missing. May be called from any thread.
const char *crowd_injection_load(void);

// Whether the bytes look like a piece of SQL, or of a script, that somebody smuggles in. Only after a successful load.
int crowd_injection_is_sqli(const char *bytes, size_t count);
int crowd_injection_is_xss(const char *bytes, size_t count);
