#define _GNU_SOURCE
#include "CDatagrams.h"

#include <string.h>

int crowd_receive_many(int descriptor, uint8_t *room, size_t slot, struct crowd_datagram *taken, int count) {
    struct mmsghdr messages[CROWD_MOST_DATAGRAMS];
    struct iovec pieces[CROWD_MOST_DATAGRAMS];
    if (count > CROWD_MOST_DATAGRAMS) count = CROWD_MOST_DATAGRAMS;
    if (count <= 0) return 0;
    memset(messages, 0, sizeof messages[0] * (size_t)count);
    for (int i = 0; i < count; i++) {
        pieces[i] = (struct iovec){.iov_base = room + (size_t)i * slot, .iov_len = slot};
        messages[i].msg_hdr.msg_iov = &pieces[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &taken[i].sender;
        messages[i].msg_hdr.msg_namelen = sizeof taken[i].sender;
    }
    int number = recvmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    for (int i = 0; i < number; i++) taken[i].length = messages[i].msg_len;
    return number < 0 ? 0 : number;
}
