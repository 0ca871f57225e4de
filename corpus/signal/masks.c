/*
 * summary: blocking and unblocking, pending sets, and what rt_sigprocmask refuses or ignores
 * calls: rt_sigprocmask rt_sigpending kill
 */
#include "apus.h"

static int handled;

static void handler(int number) {
    handled++;
    line("handled %s", signal_name(number));
}

static void show_pending(const char *what) {
    sigset_t set;
    must("sigpending", sigpending(&set));
    line("%s: USR1 %d, USR2 %d", what, sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
}

int main(void) {
    sigset_t set, old;
    unsigned long raw, raw_old;
    handle(SIGUSR1, handler, 0);
    handle(SIGUSR2, handler, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    result("block", sigprocmask(SIG_BLOCK, &set, &old));
    fact("it was not blocked before", !sigismember(&old, SIGUSR1));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    number("handled while blocked", handled);
    show_pending("pending");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, &old));
    fact("the first is still blocked", sigismember(&old, SIGUSR1));
    kill(getpid(), SIGUSR2);
    show_pending("pending");
    must("sigprocmask", sigprocmask(SIG_SETMASK, &old, NULL));
    number("handled after SIG_SETMASK without the second", handled);
    sigaddset(&set, SIGUSR1);
    result("unblock", sigprocmask(SIG_UNBLOCK, &set, NULL));
    number("handled at its return, twice sent counts once", handled);
    show_pending("pending");

    raw = ~0ul;
    result("block everything", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &raw, NULL, 8));
    result("ask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &raw_old, 8));
    line("all but SIGKILL and SIGSTOP: %s", raw_old == ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1)) ? "yes" : "no");
    raw = 0;
    must("rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &raw, NULL, 8));
    result("an invalid how", syscall(SYS_rt_sigprocmask, 3, &raw, NULL, 8));
    result("an invalid how without a set", syscall(SYS_rt_sigprocmask, 3, NULL, &raw_old, 8));
    result("a set of 4 bytes", syscall(SYS_rt_sigprocmask, SIG_BLOCK, &raw, NULL, 4));
    result("a set of 16 bytes", syscall(SYS_rt_sigprocmask, SIG_BLOCK, &raw, NULL, 16));
    result("a wild new set", syscall(SYS_rt_sigprocmask, SIG_BLOCK, WILD, NULL, 8));
    raw = 1ul << (SIGUSR1 - 1);
    result("a wild old set", syscall(SYS_rt_sigprocmask, SIG_BLOCK, &raw, WILD, 8));
    must("rt_sigprocmask", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &raw_old, 8));
    fact("though the mask changed", raw_old == raw);
    result("rt_sigpending of 4 bytes", syscall(SYS_rt_sigpending, &raw, 4));
    result("of 9 bytes", syscall(SYS_rt_sigpending, &raw, 9));
    result("to a wild pointer", syscall(SYS_rt_sigpending, WILD, 8));
    return 0;
}
