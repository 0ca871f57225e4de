/*
 * summary: a server with epoll and 8 client processes over an abstract socket: every byte comes back
 * calls: socket bind listen accept4 epoll_wait read write fork wait4
 */
#include "apus.h"
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { CLIENTS = 8, ROUNDS = 10 };

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t length;

/* Sends numbered messages of growing size and wants each of them back, turned to capitals. */
static int client(int index) {
    char data[512], back[512];
    int fd = must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    must("connect", connect(fd, (struct sockaddr *)&address, length));
    for (int round = 0; round < ROUNDS; round++) {
        int size = 10 + round * 20, got = 0;
        memset(data, 'a' + (index + round) % 26, size);
        must("write", write(fd, data, size));
        while (got < size) {
            long n = must("read", read(fd, back + got, size - got));
            if (n == 0) return 1;
            got += n;
        }
        for (int i = 0; i < size; i++)
            if (back[i] != data[i] - 'a' + 'A') return 2;
    }
    return 0;
}

int main(void) {
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "apus-corpus-server.%d", getpid());
    length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1);
    int listener = must("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    must("bind", bind(listener, (struct sockaddr *)&address, length));
    must("listen", listen(listener, 5));
    pid_t children[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        children[i] = must("fork", fork());
        if (children[i] == 0) _exit(client(i));
    }
    int epoll = must("epoll_create1", epoll_create1(0)), accepted = 0, closed = 0;
    long total = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[16];
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event));
    while (closed < CLIENTS) {
        int count = epoll_wait(epoll, events, 16, 10000);
        /* A tracer's stops interrupt it. */
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                for (int peer; (peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0; accepted++) {
                    event.data.fd = peer;
                    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &event));
                }
                continue;
            }
            char data[300];
            long n = read(fd, data, sizeof data);
            if (n <= 0) {
                must("close", close(fd));
                closed++;
                continue;
            }
            for (long k = 0; k < n; k++) data[k] += 'A' - 'a';
            must("write", write(fd, data, n));
            total += n;
        }
    }
    number("accepted", accepted);
    number("closed", closed);
    number("bytes", total);
    int good = 0;
    for (int i = 0; i < CLIENTS; i++) good += wait_for(children[i]) == 0;
    number("clients content", good);
    return 0;
}
