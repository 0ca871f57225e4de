/*
 * summary: datagram and packet pairs keep boundaries, tell truncation, and end differently
 * calls: socketpair sendmsg recvmsg sendto recvfrom shutdown
 */
#include "apus.h"
#include <sys/socket.h>
#include <sys/uio.h>

static void receive(const char *what, int fd, size_t room, int flags) {
    char one[64], two[64];
    struct iovec parts[2] = {{one, room / 2}, {two, room - room / 2}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    long n = recvmsg(fd, &message, flags | MSG_DONTWAIT);
    if (n < 0) {
        result(what, n);
        return;
    }
    line("%s: %ld, truncated %d", what, n, !!(message.msg_flags & MSG_TRUNC));
}

static void run(const char *name, int type) {
    int pair[2];
    char data[64];
    line("%s:", name);
    must("socketpair", socketpair(AF_UNIX, type, 0, pair));
    result("send", send(pair[0], "first", 5, 0));
    result("send", send(pair[0], "second one", 10, 0));
    result("send of nothing", send(pair[0], "", 0, 0));
    struct iovec parts[2] = {{"gath", 4}, {"ered", 4}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    result("sendmsg of two parts", sendmsg(pair[0], &message, 0));
    receive("peek", pair[1], 64, MSG_PEEK);
    receive("read", pair[1], 64, 0);
    receive("too small", pair[1], 4, 0);
    receive("the rest is gone, nothing comes next", pair[1], 64, 0);
    receive("peek too small, MSG_TRUNC tells the length", pair[1], 4, MSG_TRUNC | MSG_PEEK);
    receive("gathered", pair[1], 64, 0);
    receive("empty", pair[1], 64, 0);
    static char big[1 << 22];
    result("far too large", send(pair[0], big, sizeof big, 0));
    int sent = 0;
    while (send(pair[0], "x", 1, MSG_DONTWAIT) == 1) sent++;
    text("a full one", errno_name(errno));
    fact("it took some", sent > 0);
    int received = 0;
    while (recv(pair[1], data, 64, MSG_DONTWAIT) == 1) received++;
    fact("all arrive", received == sent);
    must("send", send(pair[0], "last", 4, 0));
    must("shutdown", shutdown(pair[0], SHUT_WR));
    receive("data before the shutdown", pair[1], 64, 0);
    receive("after it", pair[1], 64, 0);
    result("send after shutdown", send(pair[0], "x", 1, MSG_NOSIGNAL));
    must("close", close(pair[0]));
    receive("after close", pair[1], 64, 0);
    result("send to nobody", send(pair[1], "x", 1, MSG_NOSIGNAL));
    close(pair[1]);
}

int main(void) {
    run("datagrams", SOCK_DGRAM);
    run("packets", SOCK_SEQPACKET);
    return 0;
}
