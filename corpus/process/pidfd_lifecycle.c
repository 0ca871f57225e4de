/*
 * summary: pidfd_open, pidfd_send_signal, poll and waitid on a process descriptor, and pidfd_getfd
 * calls: pidfd_open pidfd_send_signal pidfd_getfd poll waitid
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>

#define SYS_PIDFD_SEND_SIGNAL 424
#define SYS_PIDFD_OPEN 434
#define SYS_PIDFD_GETFD 438
#define P_PIDFD_KIND 3

int main(void) {
    int ends[2];
    siginfo_t info;
    must("pipe", pipe(ends));
    pid_t child = ready_child();
    if (child == 0)
        for (;;) pause();

    int fd = must("pidfd_open", syscall(SYS_PIDFD_OPEN, child, 0));
    result("it is close-on-exec", fcntl(fd, F_GETFD));
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    result("poll while it runs", poll(&watched, 1, 0));
    result("signal 0", syscall(SYS_PIDFD_SEND_SIGNAL, fd, 0, NULL, 0));
    result("an invalid signal", syscall(SYS_PIDFD_SEND_SIGNAL, fd, 65, NULL, 0));
    result("an invalid flag", syscall(SYS_PIDFD_SEND_SIGNAL, fd, 0, NULL, 0x100));
    result("a descriptor of another kind", syscall(SYS_PIDFD_SEND_SIGNAL, ends[0], 0, NULL, 0));
    result("a closed descriptor", syscall(SYS_PIDFD_SEND_SIGNAL, 99, 0, NULL, 0));
    result("read", read(fd, &info, 1));
    memset(&info, 0, sizeof info);
    result("waitid, WNOHANG", waitid(P_PIDFD_KIND, fd, &info, WEXITED | WNOHANG));
    number("nobody yet", info.si_pid);
    int copy = syscall(SYS_PIDFD_GETFD, fd, ends[1], 0);
    outcome("pidfd_getfd of the child's pipe", copy);
    result("writing into it", write(copy, "x", 1));
    char byte;
    result("arrives", read(ends[0], &byte, 1));
    result("pidfd_getfd of a closed one", syscall(SYS_PIDFD_GETFD, fd, 77, 0));
    result("pidfd_getfd with a flag", syscall(SYS_PIDFD_GETFD, fd, 0, 1));

    result("SIGTERM", syscall(SYS_PIDFD_SEND_SIGNAL, fd, SIGTERM, NULL, 0));
    result("poll until the end", poll(&watched, 1, 10000));
    fact("POLLIN", (watched.revents & POLLIN) != 0);
    result("waitid", waitid(P_PIDFD_KIND, fd, &info, WEXITED));
    fact("the pid", info.si_pid == child);
    text("the signal", signal_name(info.si_status));
    result("waitid once more", waitid(P_PIDFD_KIND, fd, &info, WEXITED));
    result("a signal to the reaped process", syscall(SYS_PIDFD_SEND_SIGNAL, fd, SIGTERM, NULL, 0));
    result("waitid of a descriptor of another kind", waitid(P_PIDFD_KIND, ends[0], &info, WEXITED));

    result("pidfd_open of nobody", syscall(SYS_PIDFD_OPEN, 0x3fffffff, 0));
    result("of pid 0", syscall(SYS_PIDFD_OPEN, 0, 0));
    result("with an unknown flag", syscall(SYS_PIDFD_OPEN, getpid(), 0x1));
    int self = must("pidfd_open", syscall(SYS_PIDFD_OPEN, getpid(), O_NONBLOCK));
    fact("PIDFD_NONBLOCK sets O_NONBLOCK", (fcntl(self, F_GETFL) & O_NONBLOCK) != 0);
    return 0;
}
