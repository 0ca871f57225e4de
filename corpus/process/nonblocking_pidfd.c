/*
 * summary: waitid of a non-blocking pidfd is EAGAIN while the process runs, and reaps it afterwards
 * calls: pidfd_open waitid fcntl poll
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>

#define PIDFD 3

int main(void) {
    int ends[2];
    siginfo_t info;
    must("pipe", pipe(ends));
    pid_t child = must("fork", fork());
    if (child == 0) {
        char byte;
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 0) _exit(1);
        _exit(7);
    }
    close(ends[0]);
    int pidfd = must("pidfd_open", syscall(SYS_pidfd_open, child, O_NONBLOCK));
    fact("O_NONBLOCK is kept", (fcntl(pidfd, F_GETFL) & O_NONBLOCK) != 0);
    result("waitid", waitid(PIDFD, pidfd, &info, WEXITED));
    memset(&info, 0x55, sizeof info);
    result("waitid WNOHANG", waitid(PIDFD, pidfd, &info, WEXITED | WNOHANG));
    line("signal %d, code %d, process %d", info.si_signo, info.si_code, info.si_pid);
    close(ends[1]);
    struct pollfd entry = {pidfd, POLLIN, 0};
    result("poll", poll(&entry, 1, -1));
    result("O_NONBLOCK taken away", fcntl(pidfd, F_SETFL, 0));
    result("waitid WNOWAIT", waitid(PIDFD, pidfd, &info, WEXITED | WNOWAIT));
    result("O_NONBLOCK given back", fcntl(pidfd, F_SETFL, O_NONBLOCK));
    result("waitid", waitid(PIDFD, pidfd, &info, WEXITED));
    line("%s, code %d, status %d, %s", signal_name(info.si_signo), info.si_code, info.si_status,
        info.si_pid == child ? "the child" : "another");
    result("waitid again", waitid(PIDFD, pidfd, &info, WEXITED));
    result("waitid of a file that is no pidfd", waitid(PIDFD, 1, &info, WEXITED));
    return 0;
}
