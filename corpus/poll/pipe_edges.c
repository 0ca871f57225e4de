/*
 * summary: a pipe's reader gives the writer an edge only when a full pipe has room again; every write gives the reader one
 * calls: epoll_create1 epoll_ctl epoll_wait pipe2 read write
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/epoll.h>

static int reading, writing;

static void edge(const char *what, int epoll) {
    struct epoll_event event;
    int count = must("epoll_wait", epoll_wait(epoll, &event, 1, 0));
    line("%s: %x", what, count > 0 ? event.events : 0);
}

static void edges(const char *what) {
    text("after", what);
    edge("  reader", reading);
    edge("  writer", writing);
}

static int watch(int fd, unsigned events) {
    struct epoll_event event = {.events = events | EPOLLET, .data.fd = fd};
    int epoll = must("epoll_create1", epoll_create1(0));
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    return epoll;
}

int main(void) {
    static char page[4096];
    int ends[2];
    must("pipe2", pipe2(ends, O_NONBLOCK));
    reading = watch(ends[0], EPOLLIN);
    writing = watch(ends[1], EPOLLOUT);
    edges("registering");
    must("write", write(ends[1], "ab", 2));
    edges("a write");
    must("write", write(ends[1], "c", 1));
    edges("a second write");
    must("read", read(ends[0], page, 1));
    edges("a read");
    must("read", read(ends[0], page, 2));
    edges("a read of the rest");
    while (write(ends[1], page, sizeof page) > 0) {
    }
    edges("filling");
    must("read", read(ends[0], page, 4095));
    edges("a read of less than a page");
    must("read", read(ends[0], page, 1));
    edges("a read of the page's last byte");
    must("read", read(ends[0], page, sizeof page));
    edges("a read of another page");
    while (write(ends[1], page, sizeof page) > 0) {
    }
    edges("filling again");
    must("read", read(ends[0], page, 100));
    edges("a read of some bytes");
    must("read", read(ends[0], page, sizeof page));
    edges("a read across two pages");
    close(ends[0]);
    edge("writer after the reader's close", writing);
    return 0;
}
