/*
 * summary: sigwaitinfo and sigtimedwait take pending signals, time out with EAGAIN, and validate their arguments
 * calls: rt_sigtimedwait rt_sigqueueinfo kill
 */
#include "apus.h"
#include <time.h>

static void handler(int number) {
    if (number == SIGUSR1) line("handled a signal that is blocked");
}

static long wait_ns(sigset_t *set, siginfo_t *info, long nanoseconds) {
    struct timespec time = {0, nanoseconds};
    return syscall(SYS_rt_sigtimedwait, set, info, &time, 8);
}

int main(void) {
    sigset_t set, empty;
    siginfo_t info;
    sigemptyset(&empty);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGUSR1, handler, 0);
    handle(SIGALRM, handler, SA_RESTART);

    result("nothing pending, no time", wait_ns(&set, NULL, 0));
    result("nothing pending, a millisecond", wait_ns(&set, NULL, 1000000));
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    text("the lower number comes first", signal_name(wait_ns(&set, &info, 0)));
    line("code %s, signal %s, own pid %s", info.si_code == SI_USER ? "SI_USER" : "?", signal_name(info.si_signo),
         info.si_pid == getpid() ? "yes" : "no");
    text("then the other", signal_name(sigwaitinfo(&set, &info)));
    result("then nothing", wait_ns(&set, NULL, 0));
    must("sigqueue", sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 17}));
    must("sigwaitinfo", sigwaitinfo(&set, &info));
    line("sigqueue: code %s, value %d", info.si_code == SI_QUEUE ? "SI_QUEUE" : "?", info.si_value.sival_int);
    pid_t child = must("fork", fork());
    if (child == 0) _exit(3);
    text("a child's end", signal_name(sigwaitinfo(&set, &info)));
    line("code %s, status %d, its pid %s", info.si_code == CLD_EXITED ? "CLD_EXITED" : "?", info.si_status,
         info.si_pid == child ? "yes" : "no");
    wait_status("the child", wait_for(child));

    kill(getpid(), SIGUSR1);
    int taken;
    returned("sigwait", sigwait(&set, &taken));
    text("it took", signal_name(taken));

    struct timespec bad = {0, 1000000000}, negative = {-1, 0};
    result("a second's worth of nanoseconds", syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 8));
    result("negative seconds", syscall(SYS_rt_sigtimedwait, &set, NULL, &negative, 8));
    result("a set of 4 bytes", syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 4));
    result("a wild set", syscall(SYS_rt_sigtimedwait, WILD, NULL, NULL, 8));
    result("a wild time", syscall(SYS_rt_sigtimedwait, &set, NULL, WILD, 8));
    kill(getpid(), SIGUSR1);
    result("a wild siginfo", syscall(SYS_rt_sigtimedwait, &set, WILD, NULL, 8));
    result("the signal was taken", wait_ns(&set, NULL, 0));
    child = must("fork", fork());
    if (child == 0) {
        for (;;) {
            usleep(1000);
            if (kill(getppid(), SIGALRM) != 0) _exit(0);
        }
    }
    result("another signal's handler, even with SA_RESTART", syscall(SYS_rt_sigtimedwait, &empty, NULL, NULL, 8));
    handle(SIGALRM, SIG_IGN, 0);
    kill(child, SIGKILL);
    wait_for(child);
    return 0;
}
