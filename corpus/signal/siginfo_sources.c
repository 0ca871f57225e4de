/*
 * summary: the siginfo says who sent a signal and how: kill, tgkill, sigqueue, alarm, a timer
 * calls: kill tgkill rt_sigqueueinfo rt_sigaction setitimer timer_create
 */
#include "apus.h"
#include <sys/time.h>
#include <time.h>

static const char *label;

static const char *code_name(int code) {
    switch (code) {
    case SI_USER: return "SI_USER";
    case SI_TKILL: return "SI_TKILL";
    case SI_QUEUE: return "SI_QUEUE";
    case SI_TIMER: return "SI_TIMER";
    case SI_KERNEL: return "SI_KERNEL";
    default: return "?";
    }
}

static void told(int number, siginfo_t *info, void *context) {
    line("%s: %s, si_signo matches %s, %s, si_errno %d", label, signal_name(number),
         info->si_signo == number ? "yes" : "no", code_name(info->si_code), info->si_errno);
    if (info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE)
        line("  from this process: %s, from this user: %s", info->si_pid == getpid() ? "yes" : "no",
             info->si_uid == getuid() ? "yes" : "no");
    if (info->si_code == SI_QUEUE || info->si_code == SI_TIMER) line("  value %d", info->si_value.sival_int);
    if (info->si_code == SI_TIMER) line("  overrun %d", info->si_overrun);
    fact("  the context has a stack pointer", context != NULL && ((ucontext_t *)context)->uc_mcontext.gregs[15] != 0);
}

int main(void) {
    sigset_t none, block;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    sigaddset(&block, SIGUSR2);
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM};
    for (size_t i = 0; i < COUNT(numbers); i++) handle_info(numbers[i], told, 0);
    handle_info(SIGRTMIN + 3, told, 0);

    label = "kill";
    must("kill", kill(getpid(), SIGUSR1));
    label = "raise";
    must("raise", raise(SIGUSR1));
    label = "tgkill";
    must("tgkill", syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
    label = "sigqueue";
    must("sigqueue", sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 4711}));
    label = "sigqueue of a standard signal";
    must("sigqueue", sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = -5}));

    must("sigprocmask", sigprocmask(SIG_BLOCK, &block, NULL));
    label = "setitimer";
    struct itimerval soon = {.it_value = {.tv_usec = 1000}};
    must("setitimer", setitimer(ITIMER_REAL, &soon, NULL));
    sigsuspend(&none);
    label = "timer_create";
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 99};
    struct itimerspec when = {.it_value = {.tv_nsec = 1000000}};
    must("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer));
    must("timer_settime", timer_settime(timer, 0, &when, NULL));
    sigsuspend(&none);
    must("timer_delete", timer_delete(timer));

    siginfo_t forged = {.si_signo = SIGUSR1, .si_code = SI_USER};
    result("a forged SI_USER to ourselves", syscall(SYS_rt_sigqueueinfo, getpid(), SIGURG, &forged));
    pid_t child = must("fork", fork());
    if (child == 0)
        for (;;) pause();
    result("a forged SI_USER to a child", syscall(SYS_rt_sigqueueinfo, child, SIGURG, &forged));
    forged.si_code = SI_KERNEL;
    result("a forged SI_KERNEL to a child", syscall(SYS_rt_sigqueueinfo, child, SIGURG, &forged));
    forged.si_code = SI_TKILL;
    result("a forged SI_TKILL to a child", syscall(SYS_rt_sigqueueinfo, child, SIGURG, &forged));
    forged.si_code = -60;
    result("an own negative code to a child", syscall(SYS_rt_sigqueueinfo, child, SIGURG, &forged));
    kill(child, SIGKILL);
    wait_for(child);
    return 0;
}
