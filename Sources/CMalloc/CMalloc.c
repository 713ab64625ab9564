#include "CMalloc.h"

#include <malloc.h>

void crowd_malloc_give_back(void) { malloc_trim(0); }

void crowd_malloc_map_from(int bytes) { mallopt(M_MMAP_THRESHOLD, bytes); }
