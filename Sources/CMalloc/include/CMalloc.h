#ifndef CMALLOC_H
#define CMALLOC_H

/// Gives memory that was freed back to the system: all whole pages, of every arena.
void crowd_malloc_give_back(void);

/// Blocks from this size on are mappings of their own, which freeing them gives back.
void crowd_malloc_map_from(int bytes);

#endif
