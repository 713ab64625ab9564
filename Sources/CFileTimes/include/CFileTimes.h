#ifndef CFILETIMES_H
#define CFILETIMES_H

#include <stdint.h>

/// When the open file was made, in nanoseconds since 1970; 0 where the file system does not know.
int64_t crowd_birth_time(int descriptor);

#endif
