/*
 * summary: which files of /proc and /dev may be watched, and what they are ready for
 * calls: epoll_create1 epoll_ctl epoll_wait poll openat
 * file: file 644 contents
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

int main(void) {
    static const char *const names[] = {
        "/proc/self/mounts", "/proc/self/mountinfo", "/proc/mounts", "/proc/stat", "/proc/meminfo",
        "/proc/sys/kernel/hostname", "/proc/sys/kernel/osrelease", "/proc/self/status", "/proc/self/stat",
        "/proc/self/maps", "/proc/self", "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "file", ".",
    };
    int epoll = must("epoll_create1", epoll_create1(0));
    for (size_t i = 0; i < COUNT(names); i++) {
        int fd = must(names[i], open(names[i], O_RDONLY));
        struct epoll_event event = {.events = EPOLLIN | EPOLLPRI | EPOLLOUT, .data.fd = fd}, seen;
        int added = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        line("epoll_ctl of %s: %d %s", names[i], added, added < 0 ? errno_name(errno) : "");
        struct pollfd entry = {fd, POLLIN | POLLOUT | POLLPRI, 0};
        must("poll", poll(&entry, 1, 0));
        line("poll: %x", (unsigned)entry.revents);
        if (added == 0) {
            int count = epoll_wait(epoll, &seen, 1, 0);
            line("epoll_wait: %d, %x", count, count > 0 ? seen.events : 0);
        }
        close(fd);
    }
    return 0;
}
