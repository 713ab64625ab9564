#define _GNU_SOURCE
#include "CFileTimes.h"

#include <fcntl.h>
#include <sys/stat.h>

int64_t crowd_birth_time(int descriptor) {
    struct statx info;
    if (statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &info) != 0 || !(info.stx_mask & STATX_BTIME)) return 0;
    return (int64_t)info.stx_btime.tv_sec * 1000000000 + info.stx_btime.tv_nsec;
}
