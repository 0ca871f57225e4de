/*
 * summary: waits that find nothing, a zombie that only its end interests, ignored children, nonblocking pidfds, whose child it was
 * calls: waitid wait4 pidfd_open clone
 */
#include "apus.h"
#include <fcntl.h>
#include <time.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pid_t child;

/* What is left of the pattern in the siginfo shows which fields were written. */
static void waits(const char *what, int type, int id, int options) {
    union {
        siginfo_t info;
        unsigned char bytes[128];
    } place;
    memset(&place, 0x5a, sizeof place);
    long value = syscall(SYS_waitid, type, id, &place.info, options, NULL);
    result(what, value);
    line("  signo %d code %d errno %d child's %s user %d status %d; gap %x, rest %x", place.info.si_signo, place.info.si_code,
         place.info.si_errno, place.info.si_pid == child ? "yes" : place.info.si_pid == 0 ? "none" : "no",
         (int)place.info.si_uid, place.info.si_status, place.bytes[12], place.bytes[28]);
}

static pid_t start(int status) {
    child = fork();
    if (child == 0) _exit(status);
    return child;
}

static int is_pending(int signal) {
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, signal);
}

int main(void) {
    struct timespec none = {0, 0};
    sigset_t set;
    siginfo_t info;
    int status;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);

    waits("no child", P_ALL, 0, WEXITED);
    waits("no kind of event", P_ALL, 0, WNOHANG);
    waits("a number that no process has", P_PID, 0, WEXITED);
    result("no child, nowhere to say so", syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL));
    result("no child, and a wild pointer", syscall(SYS_waitid, P_ALL, 0, WILD, WEXITED, NULL));

    start(3);
    waits("a zombie", P_PID, child, WEXITED | WNOWAIT);
    waits("stops of a zombie", P_PID, child, WSTOPPED);
    waits("continues of a zombie", P_PID, child, WCONTINUED | WNOHANG);
    waits("its end", P_PID, child, WEXITED | WSTOPPED);

    int ready[2];
    char byte;
    if (pipe(ready) != 0) return 1;
    child = fork();
    if (child == 0) {
        if (write(ready[1], "r", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    if (read(ready[0], &byte, 1) != 1) return 1;
    waits("nothing has happened", P_PID, child, WEXITED | WNOHANG);
    int descriptor = (int)syscall(SYS_pidfd_open, child, 0);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    waits("nothing has happened, by a nonblocking pidfd", P_PIDFD, descriptor, WEXITED);
    kill(child, SIGTERM);
    fcntl(descriptor, F_SETFL, 0);
    waits("its end, by the pidfd", P_PIDFD, descriptor, WEXITED);
    waits("nobody, by the pidfd", P_PIDFD, descriptor, WEXITED);
    sigtimedwait(&set, &info, &none);

    start(4);
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    signal(SIGCHLD, SIG_IGN);
    result("ignored when it is a zombie already", waitpid(child, &status, 0) == child);
    start(5);
    result("ignored", waitpid(child, &status, 0));
    fact("an ignored end is pending though SIGCHLD is blocked", is_pending(SIGCHLD));
    signal(SIGCHLD, SIG_DFL);

    if (getuid() == 0) {
        child = fork();
        if (child == 0) {
            if (setresuid(1234, 1234, 1234) != 0) _exit(1);
            _exit(6);
        }
        sigwaitinfo(&set, &info);
        line("SIGCHLD: user %d, status %d", (int)info.si_uid, info.si_status);
        waits("another user's child", P_PID, child, WEXITED);
    }

    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    child = (pid_t)syscall(SYS_clone, SIGUSR2, 0, 0, 0, 0);
    if (child == 0) _exit(7);
    sigwaitinfo(&set, &info);
    line("an exit signal of its own: %s, code %d, child's %s, status %d", signal_name(info.si_signo), info.si_code,
         info.si_pid == child ? "yes" : "no", info.si_status);
    result("no child for a plain wait", waitpid(child, &status, WNOHANG));
    result("for __WCLONE", waitpid(child, &status, (int)__WCLONE) == child);
    return 0;
}
