/*
 * summary: signalfd turns blocked signals into records, in order, for the caller's own and its process's signals
 * calls: signalfd4 read poll epoll_wait rt_sigqueueinfo
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static int fd;

static void show(const char *what) {
    struct signalfd_siginfo info;
    memset(&info, 0xff, sizeof info);
    long n = read(fd, &info, sizeof info);
    if (n != sizeof info) {
        result(what, n);
        return;
    }
    const char *code = info.ssi_code == SI_USER      ? "SI_USER"
                       : info.ssi_code == SI_QUEUE   ? "SI_QUEUE"
                       : info.ssi_code == CLD_EXITED ? "CLD_EXITED"
                                                     : "?";
    int from_us = info.ssi_pid == (uint32_t)getpid();
    line("%s: %s, code %s, from us %d, value %d", what, signal_name(info.ssi_signo), code, from_us,
         info.ssi_code == SI_QUEUE ? info.ssi_int : info.ssi_status);
}

int main(void) {
    sigset_t set, other;
    struct signalfd_siginfo many[4];
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGRTMIN);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    sigemptyset(&other);
    sigaddset(&other, SIGUSR1);
    sigaddset(&other, SIGRTMIN);
    sigaddset(&other, SIGCHLD);
    fd = must("signalfd", signalfd(-1, &other, SFD_NONBLOCK | SFD_CLOEXEC));
    result("close-on-exec", fcntl(fd, F_GETFD));
    show("nothing");
    kill(getpid(), SIGUSR2);
    show("a signal that it is not for");
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    result("poll", poll(&watched, 1, 0));
    show("read");
    show("read again");
    must("sigqueue", sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 5}));
    must("sigqueue", sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 6}));
    kill(getpid(), SIGUSR1);
    result("three at once", read(fd, many, sizeof many) / (long)sizeof many[0]);
    line("values: %s, %d, %d", signal_name(many[0].ssi_signo), many[1].ssi_int, many[2].ssi_int);
    result("the same for more signals", signalfd(fd, &set, 0) == fd ? 0 : -1);
    show("the one from before");
    pid_t child = must("fork", fork());
    if (child == 0) _exit(42);
    result("poll waits for a child's end", poll(&watched, 1, 10000));
    show("read");
    wait_for(child);

    int epoll = must("epoll_create1", epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    result("epoll", epoll_wait(epoll, &event, 1, 0));
    kill(getpid(), SIGUSR2);
    result("epoll with one pending", epoll_wait(epoll, &event, 1, 0));
    child = must("fork", fork());
    if (child == 0) {
        show("a child reads its own signals, of which there are none");
        kill(getpid(), SIGUSR1);
        struct signalfd_siginfo info;
        must("read", read(fd, &info, sizeof info));
        fact("its own arrives", info.ssi_pid == (uint32_t)getpid());
        _exit(0);
    }
    wait_for(child);
    show("the parent's");
    result("a read of 100 bytes", read(fd, many, 100));
    result("write", write(fd, many, 128));
    result("an unknown flag", signalfd(-1, &set, 1));
    result("of another descriptor", signalfd(epoll, &set, 0));
    result("of a closed one", signalfd(99, &set, 0));
    result("a set of 4 bytes", syscall(SYS_signalfd4, -1, &set, 4, 0));
    return 0;
}
