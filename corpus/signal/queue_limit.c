/*
 * summary: at RLIMIT_SIGPENDING real-time signals are refused or come without their siginfo, standard ones still come
 * calls: rt_sigqueueinfo kill tkill setrlimit
 */
#include "apus.h"
#include <time.h>

static void take(const char *what, const sigset_t *set) {
    struct timespec none = {0, 0};
    siginfo_t info;
    memset(&info, 0, sizeof info);
    long value = sigtimedwait(set, &info, &none);
    if (value < 0) {
        result(what, value);
        return;
    }
    line("%s: %s, code %d, from us %s, value %d", what, signal_name(value), info.si_code,
         info.si_pid == getpid() ? "yes" : "no", info.si_value.sival_int);
}

int main(void) {
    int real_time = SIGRTMIN + 1;
    union sigval value = {.sival_int = 7};
    struct rlimit old, limit;
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    getrlimit(RLIMIT_SIGPENDING, &old);
    limit = old;
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_SIGPENDING, &limit);

    result("a queued real-time signal", sigqueue(getpid(), real_time, value));
    result("a real-time signal to the thread", syscall(SYS_tkill, syscall(SYS_gettid), real_time));
    result("a real-time signal by kill", kill(getpid(), real_time));
    result("and again", kill(getpid(), real_time));
    take("it comes", &set);
    take("only once", &set);
    result("a queued standard signal", sigqueue(getpid(), SIGUSR1, value));
    take("it comes", &set);
    result("a standard signal by kill", kill(getpid(), SIGUSR2));
    result("another, queued", sigqueue(getpid(), SIGUSR2, value));
    take("the first comes", &set);
    take("nothing else", &set);
    setrlimit(RLIMIT_SIGPENDING, &old);
    result("queued below the limit", sigqueue(getpid(), real_time, value));
    take("it comes", &set);
    return 0;
}
