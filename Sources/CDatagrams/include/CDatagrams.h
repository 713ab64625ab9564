#ifndef CDATAGRAMS_H
#define CDATAGRAMS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/// One of those that a call took.
struct crowd_datagram {
    struct sockaddr_storage sender;
    /// Of its bytes in the slot; a longer datagram was cut off there.
    uint32_t length;
};

enum { CROWD_MOST_DATAGRAMS = 64 };

/// Takes what is there, without waiting, with one system call: datagram i goes to room + i * slot and is described in
/// taken[i]. Returns how many, at most `count` and CROWD_MOST_DATAGRAMS; 0 when there is none, or on an error.
int crowd_receive_many(int descriptor, uint8_t *room, size_t slot, struct crowd_datagram *taken, int count);

#endif
