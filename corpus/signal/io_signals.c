/*
 * summary: O_ASYNC: pipes and sockets tell their owner by SIGIO, or by the signal of F_SETSIG with a descriptor
 * calls: fcntl ioctl rt_sigtimedwait pipe2 socketpair write read close
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

static int descriptor;

/* All that is pending, then "nothing". */
static void heard(const char *what) {
    struct timespec none = {0, 0};
    siginfo_t info;
    sigset_t set;
    text("after", what);
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    for (;;) {
        int number = sigtimedwait(&set, &info, &none);
        if (number < 0) break;
        const char *code = info.si_code == SI_KERNEL ? "SI_KERNEL" : info.si_code == POLL_IN ? "POLL_IN"
            : info.si_code == POLL_OUT ? "POLL_OUT" : info.si_code == POLL_HUP ? "POLL_HUP" : "another code";
        if (info.si_code == SI_KERNEL) line("  %s %s", signal_name(number), code);
        else line("  %s %s band %lx%s", signal_name(number), code, (unsigned long)info.si_band,
            info.si_fd == descriptor ? ", the descriptor" : "");
    }
    line("  nothing more");
}

static void settings(int fd) {
    result("F_GETOWN of nobody", fcntl(fd, F_GETOWN));
    result("F_GETSIG", fcntl(fd, F_GETSIG));
    result("F_SETOWN of nobody there", fcntl(fd, F_SETOWN, 999999));
    result("F_SETOWN of a group that is not there", fcntl(fd, F_SETOWN, -999999));
    result("F_SETSIG of no signal", fcntl(fd, F_SETSIG, 65));
    result("F_SETOWN of the group", fcntl(fd, F_SETOWN, -getpgrp()));
    fact("F_GETOWN gives it", fcntl(fd, F_GETOWN) == -getpgrp());
    struct f_owner_ex owner = {F_OWNER_TID, getpid()};
    result("F_SETOWN_EX of a thread", fcntl(fd, F_SETOWN_EX, &owner));
    owner.pid = 0;
    result("F_GETOWN_EX", fcntl(fd, F_GETOWN_EX, &owner));
    line("type %d%s", owner.type, owner.pid == getpid() ? ", itself" : "");
    owner.type = 7;
    result("F_SETOWN_EX of an unknown kind", fcntl(fd, F_SETOWN_EX, &owner));
    result("F_SETOWN of itself", fcntl(fd, F_SETOWN, getpid()));
}

static void fill(int fd) {
    static const char page[4096];
    must("F_SETFL", fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
    while (write(fd, page, sizeof page) > 0) {
    }
}

int main(void) {
    static char pages[8192];
    int ends[2], pair[2], on = 1;
    char byte[8];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    must("pipe", pipe(ends));
    descriptor = ends[0];
    settings(ends[0]);
    must("write", write(ends[1], "x", 1));
    heard("a write without O_ASYNC");
    result("F_SETFL O_ASYNC", fcntl(ends[0], F_SETFL, O_ASYNC));
    fact("it is kept", (fcntl(ends[0], F_GETFL) & O_ASYNC) != 0);
    heard("O_ASYNC with a byte in the pipe");
    must("write", write(ends[1], "x", 1));
    heard("a write");
    must("read", read(ends[0], byte, sizeof byte));
    heard("a read");
    must("F_SETSIG", fcntl(ends[0], F_SETSIG, SIGRTMIN));
    must("write", write(ends[1], "x", 1));
    must("write", write(ends[1], "x", 1));
    heard("two writes with F_SETSIG");
    must("F_SETSIG", fcntl(ends[0], F_SETSIG, SIGUSR1));
    must("write", write(ends[1], "x", 1));
    heard("a write with F_SETSIG of an old signal");
    close(ends[1]);
    heard("the other end's close");
    close(ends[0]);

    must("pipe", pipe(ends));
    descriptor = ends[1];
    must("F_SETOWN", fcntl(ends[1], F_SETOWN, getpid()));
    must("F_SETSIG", fcntl(ends[1], F_SETSIG, SIGUSR1));
    result("FIOASYNC of a pipe to write to", ioctl(ends[1], FIOASYNC, &on));
    must("write", write(ends[1], "x", 1));
    heard("a write of its own");
    must("read", read(ends[0], byte, 1));
    heard("a read from a pipe with room");
    fill(ends[1]);
    heard("filling it");
    must("read", read(ends[0], pages, 4095));
    heard("a read of less than a page");
    must("read", read(ends[0], pages, 1));
    heard("a read of its last byte");
    must("F_SETFL", fcntl(ends[1], F_SETFL, O_NONBLOCK));
    fill(ends[1]);
    must("read", read(ends[0], pages, sizeof pages));
    heard("a read without O_ASYNC");
    close(ends[0]);
    close(ends[1]);

    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    descriptor = pair[0];
    must("F_SETOWN", fcntl(pair[0], F_SETOWN, getpid()));
    must("F_SETSIG", fcntl(pair[0], F_SETSIG, SIGUSR1));
    must("O_ASYNC", fcntl(pair[0], F_SETFL, O_ASYNC));
    must("send", send(pair[1], "x", 1, 0));
    heard("what arrives at a socket");
    must("recv", recv(pair[0], byte, 1, 0));
    heard("taking it");

    int file = must("open", open("plain", O_RDWR | O_CREAT, 0644));
    result("F_SETFL O_ASYNC of a file", fcntl(file, F_SETFL, O_ASYNC));
    fact("it is kept", (fcntl(file, F_GETFL) & O_ASYNC) != 0);
    result("FIOASYNC of a file", ioctl(file, FIOASYNC, &on));
    return 0;
}
