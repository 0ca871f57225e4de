/*
 * summary: one epoll that is asked many times in a row, while all that it says changes between two rows
 * calls: epoll_wait epoll_pwait epoll_pwait2 epoll_ctl
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

enum { TIMES = 70 };

static int epoll;

static void control(int operation, int fd, unsigned events, unsigned long data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    must("epoll_ctl", epoll_ctl(epoll, operation, fd, &event));
}

static int ask(int way, struct epoll_event *events, int limit, int timeout) {
    struct timespec interval = {timeout / 1000, timeout % 1000 * 1000000L};
    switch (way % 3) {
    case 0: return epoll_wait(epoll, events, limit, timeout);
    case 1: return epoll_pwait(epoll, events, limit, timeout, NULL);
    default: return syscall(SYS_epoll_pwait2, epoll, events, limit, timeout < 0 ? NULL : &interval, NULL, 8);
    }
}

/* The first answer, the last one, and how many were as the last. */
static void show(const char *what, int limit, int timeout) {
    struct epoll_event events[12];
    char out[512] = "", last[512] = "", first[512] = "";
    int same = 0;
    for (int time = 0; time < TIMES; time++) {
        memset(events, 0x77, sizeof events);
        int n = ask(time / 40, events, limit, timeout);
        snprintf(out, sizeof out, "%d", n);
        if (n < 0) snprintf(out, sizeof out, "%s", errno_name(errno));
        for (int i = 0; i < n; i++)
            snprintf(out + strlen(out), sizeof out - strlen(out), " %lx:%x", (long)events[i].data.u64, events[i].events);
        int beyond = n < 0 ? 0 : n;
        if (beyond < 12 && events[beyond].events != 0x77777777) snprintf(out + strlen(out), 32, " and more");
        same = strcmp(out, last) ? 1 : same + 1;
        strcpy(last, out);
        if (time == 0) strcpy(first, out);
    }
    line("%s: %s; %s, %d times", what, first, last, same);
}

int main(void) {
    int one[2], two[2], sockets[2], pipes[9][2];
    char data[64];
    must("pipe", pipe2(one, O_NONBLOCK));
    must("pipe", pipe2(two, O_NONBLOCK));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets));
    epoll = must("epoll_create1", epoll_create1(0));
    show("nobody is watched", 4, 0);
    control(EPOLL_CTL_ADD, one[0], EPOLLIN, 0x100000001);
    control(EPOLL_CTL_ADD, sockets[0], EPOLLIN | EPOLLRDHUP, 2);
    show("nothing", 4, 0);
    must("write", write(one[1], "abc", 3));
    show("a byte in a pipe", 4, 0);
    show("for whoever waits", 4, -1);
    show("for whoever waits a little", 4, 30);
    must("write", write(sockets[1], "abc", 3));
    show("and one in a socket", 4, 0);
    show("with room for one", 1, 0);
    show("with room for two", 2, 0);
    must("read", read(one[0], data, 1));
    show("a part is read", 4, 0);
    must("read", read(one[0], data, 9));
    show("the rest is read", 4, 0);
    control(EPOLL_CTL_MOD, sockets[0], EPOLLIN | EPOLLOUT, 3);
    show("it asks for more", 4, 0);
    must("shutdown", shutdown(sockets[1], SHUT_WR));
    show("the other says that it ends", 4, 0);
    must("close", close(sockets[1]));
    show("the other is gone", 4, 0);
    control(EPOLL_CTL_DEL, sockets[0], 0, 0);
    show("nobody asks", 4, 0);
    must("write", write(one[1], "abc", 3));
    show("ready once more", 4, 0);
    int kept = must("dup", dup(one[0]));
    must("close", close(one[0]));
    show("another descriptor keeps it", 4, 0);
    must("close", close(kept));
    show("none does", 4, 0);
    control(EPOLL_CTL_ADD, two[0], EPOLLIN | EPOLLET, 4);
    must("write", write(two[1], "x", 1));
    show("an edge", 4, 0);
    control(EPOLL_CTL_MOD, two[0], EPOLLIN | EPOLLONESHOT, 5);
    show("one shot", 4, 0);
    control(EPOLL_CTL_MOD, two[0], EPOLLIN, 6);
    show("a level", 4, 0);
    for (int i = 0; i < 9; i++) {
        must("pipe", pipe2(pipes[i], O_NONBLOCK));
        control(EPOLL_CTL_ADD, pipes[i][0], EPOLLIN, 0x10 + i);
    }
    for (int i = 8; i >= 0; i--) must("write", write(pipes[i][1], "x", 1));
    show("ten", 12, 0);
    for (int i = 0; i < 9; i += 2) must("read", read(pipes[i][0], data, 1));
    show("five", 12, 0);
    show("five, three at a time", 3, 0);
    for (int i = 0; i < 9; i++) must("close", close(pipes[i][1]));
    show("nobody writes", 12, 0);
    for (int i = 0; i < 9; i++) must("close", close(pipes[i][0]));
    must("read", read(two[0], data, 1));
    int count = must("eventfd", eventfd(0, EFD_NONBLOCK));
    control(EPOLL_CTL_ADD, count, EPOLLIN, 7);
    show("a counter at nothing", 4, 0);
    unsigned long number = 5;
    must("write", write(count, &number, 8));
    show("a counter", 4, 0);
    must("read", read(count, &number, 8));
    int timer = must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    control(EPOLL_CTL_ADD, timer, EPOLLIN, 8);
    struct itimerspec soon = {.it_value = {0, 3000000}};
    must("timerfd_settime", timerfd_settime(timer, 0, &soon, NULL));
    struct epoll_event event;
    while (epoll_wait(epoll, &event, 1, 0) == 0) {}
    line("somebody who never sleeps hears of a timer: %lx:%x", (long)event.data.u64, event.events);
    show("a timer", 4, 0);
    must("read", read(timer, &number, 8));
    show("a timer that was read", 4, 0);
    must("write", write(count, &number, 8));
    show("no buffer", 0, 0);
    for (int i = 0; i < TIMES; i++) ask(0, &event, 1, 0);
    int bad = 0;
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < TIMES; i++) bad += epoll_wait(epoll, (void *)page, 1, 0) == -1 && errno == EFAULT;
    for (int i = 0; i < TIMES; i++) bad += epoll_wait(epoll, KERNEL_ADDRESS, 1, 0) == -1 && errno == EFAULT;
    must("mprotect", mprotect(page, 4096, PROT_READ | PROT_WRITE));
    for (int i = 0; i < TIMES; i++) bad += epoll_wait(epoll, (void *)(page + 4090), 1, 0) == -1 && errno == EFAULT;
    line("buffers that are none: %d", bad);
    must("dup2", dup2(one[1], epoll));
    show("no epoll any more", 4, 0);
    must("close", close(epoll));
    show("nothing at all", 4, 0);
    return 0;
}
