/*
 * summary: timer_create's kinds of notification, overruns, absolute times, rearming, deletion, and fork
 * calls: timer_create timer_settime timer_gettime timer_getoverrun timer_delete
 */
#include "apus.h"
#include <time.h>

#ifndef SIGEV_THREAD_ID
#define SIGEV_THREAD_ID 4
#endif
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void in_a_child(void) {
    struct itimerspec value;
    result("a child has none of its parent's timers", syscall(SYS_timer_gettime, 0, &value));
}

int main(void) {
    timer_t timer, quiet;
    struct itimerspec value, old, off = {{0, 0}, {0, 0}};
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGALRM);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));

    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 31};
    result("create", timer_create(CLOCK_MONOTONIC, &event, &timer));
    must("timer_gettime", timer_gettime(timer, &value));
    fact("it starts disarmed", value.it_value.tv_sec == 0 && value.it_value.tv_nsec == 0);
    value = (struct itimerspec){.it_value = {0, 1000000}};
    result("arm", timer_settime(timer, 0, &value, NULL));
    must("sigwaitinfo", sigwaitinfo(&set, &info));
    fact("a timer's signal", info.si_code == SI_TIMER);
    number("its value", info.si_value.sival_int);
    value = (struct itimerspec){.it_value = {0, 100000}, .it_interval = {0, 100000}};
    must("timer_settime", timer_settime(timer, 0, &value, NULL));
    usleep(10000);
    must("sigwaitinfo", sigwaitinfo(&set, &info));
    fact("blocked for 10 ms at 0.1 ms: one signal with an overrun", info.si_overrun >= 50);
    fact("timer_getoverrun tells the same", timer_getoverrun(timer) == info.si_overrun);
    result("disarm", timer_settime(timer, 0, &off, &old));
    number("the old interval", old.it_interval.tv_nsec);
    struct timespec zero = {0, 0};
    while (sigtimedwait(&set, &info, &zero) > 0) continue;
    struct timespec past = {0, 1};
    value = (struct itimerspec){.it_value = past};
    result("an absolute time that is past", timer_settime(timer, TIMER_ABSTIME, &value, NULL));
    must("sigwaitinfo", sigwaitinfo(&set, &info));
    text("fires at once", info.si_code == SI_TIMER ? "SI_TIMER" : "?");
    value = (struct itimerspec){.it_value = {0, 100000}, .it_interval = {0, 100000}};
    must("timer_settime", timer_settime(timer, 0, &value, NULL));
    usleep(3000);
    result("delete with a signal pending", timer_delete(timer));
    while (sigtimedwait(&set, &info, &zero) > 0) continue;
    usleep(3000);
    result("no more signals", sigtimedwait(&set, &info, &zero));

    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    result("SIGEV_NONE", timer_create(CLOCK_MONOTONIC, &none, &quiet));
    value = (struct itimerspec){.it_value = {100, 0}};
    must("timer_settime", timer_settime(quiet, 0, &value, NULL));
    must("timer_gettime", timer_gettime(quiet, &value));
    fact("it can be asked", value.it_value.tv_sec > 50);
    in_child(in_a_child);
    timer_t usual;
    result("no event: SIGALRM", timer_create(CLOCK_REALTIME, NULL, &usual));
    value = (struct itimerspec){.it_value = {0, 1000000}};
    must("timer_settime", timer_settime(usual, 0, &value, NULL));
    text("signal", signal_name(sigwaitinfo(&set, &info)));

    struct sigevent to_thread = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
    to_thread.sigev_notify_thread_id = syscall(SYS_gettid);
    result("SIGEV_THREAD_ID", syscall(SYS_timer_create, CLOCK_MONOTONIC, &to_thread, (int[1]){0}));
    to_thread.sigev_notify_thread_id = 0x3fffffff;
    result("of nobody", syscall(SYS_timer_create, CLOCK_MONOTONIC, &to_thread, (int[1]){0}));
    event.sigev_signo = 65;
    result("signal 65", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, (int[1]){0}));
    result("an unknown clock", syscall(SYS_timer_create, 77, NULL, (int[1]){0}));
    result("a wild id", syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, WILD));
    value = (struct itimerspec){.it_value = {0, 1000000000}};
    result("too many nanoseconds", timer_settime(quiet, 0, &value, NULL));
    result("an unknown id", syscall(SYS_timer_delete, 12345));
    return 0;
}
