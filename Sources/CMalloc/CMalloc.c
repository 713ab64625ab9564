#include "CMalloc.h"

#include <malloc.h>

void crowd_malloc_give_back(void) { malloc_trim(0); }

void crowd_malloc_keep(int map_from, int trim_from) {
    mallopt(M_MMAP_THRESHOLD, map_from);
    mallopt(M_TRIM_THRESHOLD, trim_from);
}
