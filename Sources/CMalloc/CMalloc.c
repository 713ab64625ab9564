#include "CMalloc.h"

#include <malloc.h>

void crowd_malloc_give_back(void) { malloc_trim(0); }
