/*
 * summary: which bits eventfd, timerfd, signalfd, inotify, epoll and pidfd are ready with, and what they refuse
 * calls: poll eventfd2 timerfd_create signalfd4 inotify_init1 epoll_create1 pidfd_open ioctl write splice
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define EVERYTHING (POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP)

static int source;

static void show(const char *what, int fd) {
    struct pollfd entry = {fd, EVERYTHING, 0};
    int available = -1;
    must("poll", poll(&entry, 1, 0));
    line("%s: %x", what, (unsigned)(unsigned short)entry.revents);
    result("  FIONREAD", ioctl(fd, FIONREAD, &available));
    result("  an unknown ioctl", ioctl(fd, 0x5499, NULL));
    result("  splice into it", splice(source, NULL, fd, NULL, 8, SPLICE_F_NONBLOCK));
}

int main(void) {
    int ends[2];
    must("pipe", pipe(ends));
    must("write", write(ends[1], "12345678", 8));
    source = ends[0];

    uint64_t numbers[2] = {3, 4};
    int fd = must("eventfd", eventfd(0, EFD_NONBLOCK));
    show("eventfd of 0", fd);
    result("write of 7 bytes", write(fd, numbers, 7));
    result("write of 9 bytes", write(fd, numbers, 9));
    result("write of 16 bytes", write(fd, numbers, 16));
    result("write of 8 bytes", write(fd, numbers, 8));
    show("eventfd of 3", fd);
    result("read of 16 bytes", read(fd, numbers, 16));

    struct itimerspec soon = {{0, 0}, {0, 1}};
    fd = must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0));
    show("timerfd", fd);
    must("timerfd_settime", timerfd_settime(fd, 0, &soon, NULL));
    struct pollfd entry = {fd, POLLIN, 0};
    must("poll", poll(&entry, 1, -1));
    show("timerfd that is due", fd);

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    fd = must("signalfd", signalfd(-1, &set, 0));
    show("signalfd", fd);
    raise(SIGUSR1);
    show("signalfd with a signal", fd);

    fd = must("inotify_init1", inotify_init1(0));
    must("inotify_add_watch", inotify_add_watch(fd, ".", IN_CREATE));
    struct pollfd quiet = {fd, EVERYTHING, 0};
    must("poll", poll(&quiet, 1, 0));
    line("inotify: %x", (unsigned)quiet.revents);
    close(must("open", open("new", O_RDWR | O_CREAT, 0644)));
    must("poll", poll(&quiet, 1, 0));
    line("inotify with an event: %x", (unsigned)quiet.revents);

    int epoll = must("epoll_create1", epoll_create1(0));
    show("epoll", epoll);
    struct epoll_event event = {.events = EPOLLIN};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    show("epoll with an event", epoll);
    return 0;
}
