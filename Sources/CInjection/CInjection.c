#include "CInjection.h"

#include <dlfcn.h>
#include <pthread.h>

// As its documentation gives them; Debian has no header of it. The fingerprint takes eight bytes at most.
static int (*p_sqli)(const char *bytes, size_t count, char fingerprint[]);
static int (*p_xss)(const char *bytes, size_t count);

static const char *problem;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    void *library = dlopen("libmodsecurity.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        problem = "libmodsecurity.so.3 is not installed";
        return;
    }
    p_sqli = (__typeof__(p_sqli))dlsym(library, "libinjection_sqli");
    p_xss = (__typeof__(p_xss))dlsym(library, "libinjection_xss");
    if (p_sqli == NULL || p_xss == NULL) problem = "libmodsecurity.so.3 lacks libinjection";
}

const char *crowd_injection_load(void) {
    pthread_once(&once, load);
    return problem;
}

int crowd_injection_is_sqli(const char *bytes, size_t count) {
    char fingerprint[16] = "";
    return p_sqli(bytes, count, fingerprint);
}

int crowd_injection_is_xss(const char *bytes, size_t count) { return p_xss(bytes, count); }
