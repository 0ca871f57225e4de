/*
 * summary: splice: a pipe without readers is EPIPE whatever there is to send, and eventfd and its kin give and take no pages
 * calls: splice tee pipe2 fcntl
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

int main(void) {
    int from[2], to[2], packets[2];
    signal(SIGPIPE, SIG_IGN);
    must("pipe2", pipe2(from, O_NONBLOCK));
    must("pipe2", pipe2(to, O_NONBLOCK));
    must("pipe2", pipe2(packets, O_NONBLOCK | O_DIRECT));
    fact("O_DIRECT at the writing end", (fcntl(packets[1], F_GETFL) & O_DIRECT) != 0);
    fact("O_DIRECT at the reading end", (fcntl(packets[0], F_GETFL) & O_DIRECT) != 0);

    int others[] = {
        must("eventfd", eventfd(3, EFD_NONBLOCK)),
        must("epoll_create1", epoll_create1(0)),
        must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)),
    };
    static const char *const names[] = {"eventfd", "epoll", "timerfd"};
    for (size_t i = 0; i < COUNT(others); i++) {
        line("%s", names[i]);
        result("  splice out of it", splice(others[i], NULL, to[1], NULL, 8, SPLICE_F_NONBLOCK));
        result("  splice of nothing into it", splice(from[0], NULL, others[i], NULL, 8, SPLICE_F_NONBLOCK));
    }
    must("write", write(from[1], "12345678", 8));
    for (size_t i = 0; i < COUNT(others); i++) {
        line("%s", names[i]);
        result("  splice of something into it", splice(from[0], NULL, others[i], NULL, 8, SPLICE_F_NONBLOCK));
    }
    result("splice from a pipe to itself", splice(from[0], NULL, from[1], NULL, 8, SPLICE_F_NONBLOCK));
    close(to[0]);
    result("splice to a pipe without readers", splice(from[0], NULL, to[1], NULL, 8, SPLICE_F_NONBLOCK));
    result("tee to it", tee(from[0], to[1], 8, SPLICE_F_NONBLOCK));
    char bytes[8];
    result("nothing was taken", read(from[0], bytes, sizeof bytes));
    close(from[1]);
    result("splice of the end of file to it", splice(from[0], NULL, to[1], NULL, 8, SPLICE_F_NONBLOCK));
    result("tee of it", tee(from[0], to[1], 8, SPLICE_F_NONBLOCK));
    return 0;
}
