/*
 * summary: SA_NODEFER, SA_RESETHAND, sa_mask, and what sigaction reports back
 * calls: rt_sigaction kill rt_sigprocmask
 */
#include "apus.h"

static int depth, limit, calls;

static int blocked(int number) {
    sigset_t set;
    must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
    return sigismember(&set, number);
}

static void nests(int number) {
    calls++;
    depth++;
    if (calls < limit) {
        line("  depth %d, blocked inside: %d", depth, blocked(number));
        kill(getpid(), number);
        line("  depth %d goes on", depth);
    }
    depth--;
}

static void checks_mask(int number) {
    line("  inside: itself %d, SIGUSR2 %d, SIGTERM %d, SIGKILL %d", blocked(number), blocked(SIGUSR2), blocked(SIGTERM),
         blocked(SIGKILL));
}

static void checks_reset(int number) {
    struct sigaction action;
    must("sigaction", sigaction(number, NULL, &action));
    line("  inside: default %s, blocked %d", action.sa_handler == SIG_DFL ? "yes" : "no", blocked(number));
}

static void dies_at_the_second(void) {
    handle(SIGUSR1, checks_reset, SA_RESETHAND);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
}

int main(void) {
    no_core();
    limit = 2;
    line("deferred:");
    handle(SIGUSR1, nests, 0);
    kill(getpid(), SIGUSR1);
    number("calls", calls);
    number("blocked afterwards", blocked(SIGUSR1));
    calls = 0;
    limit = 3;
    line("SA_NODEFER:");
    handle(SIGUSR1, nests, SA_NODEFER);
    kill(getpid(), SIGUSR1);
    number("calls", calls);

    line("SA_RESETHAND:");
    wait_status("the second one", in_child(dies_at_the_second));
    line("SA_RESETHAND and SA_NODEFER:");
    handle(SIGUSR1, checks_reset, SA_RESETHAND | SA_NODEFER);
    kill(getpid(), SIGUSR1);

    struct sigaction action = {.sa_handler = checks_mask}, old;
    sigfillset(&action.sa_mask);
    sigdelset(&action.sa_mask, SIGUSR2);
    line("a full mask but for SIGUSR2:");
    must("sigaction", sigaction(SIGUSR1, &action, NULL));
    kill(getpid(), SIGUSR1);
    number("SIGTERM blocked afterwards", blocked(SIGTERM));
    must("sigaction", sigaction(SIGUSR1, NULL, &old));
    fact("the handler is reported", old.sa_handler == checks_mask);
    fact("the mask is", sigismember(&old.sa_mask, SIGTERM) && !sigismember(&old.sa_mask, SIGUSR2));
    fact("SIGKILL is not in it", !sigismember(&old.sa_mask, SIGKILL));

    result("SIGKILL", sigaction(SIGKILL, &action, NULL));
    result("SIGSTOP, ignored", signal(SIGSTOP, SIG_IGN) == SIG_ERR ? -1 : 0);
    result("SIGKILL, only asked", sigaction(SIGKILL, NULL, &old));
    result("signal 0", syscall(SYS_rt_sigaction, 0, NULL, &old, 8));
    result("signal 65", syscall(SYS_rt_sigaction, 65, NULL, &old, 8));
    result("signal 64", syscall(SYS_rt_sigaction, 64, NULL, NULL, 8));
    result("a set of 4 bytes", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
    result("a wild action", syscall(SYS_rt_sigaction, SIGUSR1, WILD, NULL, 8));
    result("a wild old action", syscall(SYS_rt_sigaction, SIGUSR1, NULL, WILD, 8));
    return 0;
}
