/*
 * summary: real-time signals queue with their values, lowest number first; standard ones merge; the queue has a limit
 * calls: rt_sigqueueinfo rt_sigtimedwait prlimit64 rt_sigprocmask
 */
#include "apus.h"

static void told(int number, siginfo_t *info, void *context) {
    line("handler: SIGRTMIN+%d value %d%s", number - SIGRTMIN, info->si_value.sival_int, context ? "" : "?");
}

static void standard(int number) { line("handler: %s", signal_name(number)); }

static void send(int number, int value) {
    must("sigqueue", sigqueue(getpid(), number, (union sigval){.sival_int = value}));
}

int main(void) {
    sigset_t set, none;
    siginfo_t info;
    sigemptyset(&none);
    sigemptyset(&set);
    for (int i = 1; i <= 4; i++) {
        sigaddset(&set, SIGRTMIN + i);
        handle_info(SIGRTMIN + i, told, 0);
    }
    sigaddset(&set, SIGUSR1);
    handle(SIGUSR1, standard, 0);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));

    send(SIGRTMIN + 3, 1);
    send(SIGRTMIN + 1, 2);
    send(SIGRTMIN + 3, 3);
    send(SIGUSR1, 4);
    send(SIGUSR1, 5);
    send(SIGRTMIN + 1, 6);
    line("taken by sigwaitinfo:");
    struct timespec zero = {0, 0};
    for (int number; (number = sigtimedwait(&set, &info, &zero)) > 0;) {
        if (number == SIGUSR1) line("  SIGUSR1 value %d", info.si_value.sival_int);
        else line("  SIGRTMIN+%d value %d", number - SIGRTMIN, info.si_value.sival_int);
    }

    for (int i = 0; i < 3; i++) {
        send(SIGRTMIN + 2, i);
        send(SIGRTMIN + 1, 10 + i);
    }
    kill(getpid(), SIGUSR1);
    line("delivered by sigsuspend: each handler is entered before the one below it has returned");
    sigsuspend(&none);
    must("sigpending", sigpending(&none));
    fact("all are gone", !sigismember(&none, SIGRTMIN + 1) && !sigismember(&none, SIGRTMIN + 2));

    int sent = 0;
    pid_t child = must("fork", fork());
    if (child == 0) {
        must("setuid", getuid() == 0 ? setuid(100000 + getpid()) : 0);
        struct rlimit limit = {5, 5};
        must("setrlimit", setrlimit(RLIMIT_SIGPENDING, &limit));
        while (sent < 100 && sigqueue(getpid(), SIGRTMIN + 4, (union sigval){.sival_int = sent}) == 0) sent++;
        if (getuid() >= 100000) number("queued with RLIMIT_SIGPENDING 5", sent);
        result("the next", sigqueue(getpid(), SIGRTMIN + 4, (union sigval){.sival_int = 0}));
        result("kill is not bound by it for standard signals", kill(getpid(), SIGUSR1));
        must("sigpending", sigpending(&none));
        fact("which is pending", sigismember(&none, SIGUSR1));
        _exit(0);
    }
    wait_status("the child", wait_for(child));
    result("sigqueue with signal 65", sigqueue(getpid(), 65, (union sigval){.sival_int = 0}));
    result("sigqueue with signal 0", sigqueue(getpid(), 0, (union sigval){.sival_int = 0}));
    result("sigqueue to nobody", sigqueue(0x3fffffff, SIGUSR1, (union sigval){.sival_int = 0}));
    return 0;
}
