#ifndef CMALLOC_H
#define CMALLOC_H

/// Gives memory that was freed back to the system: all whole pages, of every arena.
void crowd_malloc_give_back(void);

/// Blocks of `map_from` bytes and more are mappings of their own, which freeing them gives back; of what is free at the
/// end of an arena, no more than `trim_from` bytes are kept. Neither changes by itself any more.
void crowd_malloc_keep(int map_from, int trim_from);

#endif
