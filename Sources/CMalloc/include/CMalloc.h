#ifndef CMALLOC_H
#define CMALLOC_H

/// Gives memory that was freed back to the system: all whole pages, of every arena.
void crowd_malloc_give_back(void);

#endif
