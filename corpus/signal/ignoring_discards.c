/*
 * summary: setting a signal to be ignored throws away pending ones; ignored by default is thrown away even when blocked
 * calls: rt_sigaction rt_sigpending rt_sigprocmask kill
 */
#include "apus.h"

static void handler(int number) { line("handled %s", signal_name(number)); }

static int pending(int number) {
    sigset_t set;
    must("sigpending", sigpending(&set));
    return sigismember(&set, number);
}

int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGRTMIN + 1);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGUSR1, handler, 0);
    handle(SIGRTMIN + 1, handler, 0);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGRTMIN + 1);
    kill(getpid(), SIGRTMIN + 1);
    line("pending: USR1 %d, real-time %d", pending(SIGUSR1), pending(SIGRTMIN + 1));
    handle(SIGUSR1, SIG_DFL, 0);
    number("back to the default keeps it", pending(SIGUSR1));
    handle(SIGUSR1, SIG_IGN, 0);
    handle(SIGRTMIN + 1, SIG_IGN, 0);
    line("ignored: USR1 %d, real-time %d", pending(SIGUSR1), pending(SIGRTMIN + 1));
    kill(getpid(), SIGUSR1);
    number("blocked and ignored, sent", pending(SIGUSR1));
    handle(SIGUSR1, handler, 0);
    must("sigprocmask", sigprocmask(SIG_UNBLOCK, &set, NULL));
    line("with the handler back and unblocked");
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));

    handle(SIGWINCH, SIG_DFL, 0);
    kill(getpid(), SIGWINCH);
    number("SIGWINCH, default is to ignore, blocked", pending(SIGWINCH));
    handle(SIGWINCH, handler, 0);
    kill(getpid(), SIGWINCH);
    number("with a handler", pending(SIGWINCH));
    handle(SIGWINCH, SIG_DFL, 0);
    number("back to the default", pending(SIGWINCH));
    must("sigprocmask", sigprocmask(SIG_UNBLOCK, &set, NULL));
    return 0;
}
