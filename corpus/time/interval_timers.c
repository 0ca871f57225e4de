/*
 * summary: setitimer, alarm and their remainders; what fork, exec and a second setting do to them
 * calls: setitimer getitimer alarm fork execve
 */
#include "apus.h"
#include <sys/time.h>

static volatile int alarms, virtuals, profs;

static void handler(int number) {
    alarms += number == SIGALRM;
    virtuals += number == SIGVTALRM;
    profs += number == SIGPROF;
}

static void set(int which, long seconds, long microseconds, long interval) {
    struct itimerval value = {.it_value = {seconds, microseconds}, .it_interval = {0, interval}};
    must("setitimer", setitimer(which, &value, NULL));
}

static void in_a_child(void) {
    struct itimerval value;
    must("getitimer", getitimer(ITIMER_REAL, &value));
    fact("a child starts without", value.it_value.tv_sec == 0 && value.it_value.tv_usec == 0);
    number("alarm in the child", alarm(0));
}

int main(int argc, char **argv) {
    if (argc > 1) {
        struct itimerval left;
        must("getitimer", getitimer(ITIMER_REAL, &left));
        fact("exec keeps the timer", left.it_value.tv_sec >= 3000 && left.it_interval.tv_usec == 5000);
        return 0;
    }
    struct itimerval value, old;
    sigset_t none, block;
    handle(SIGALRM, handler, 0);
    handle(SIGVTALRM, handler, 0);
    handle(SIGPROF, handler, 0);
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &block, NULL));

    number("alarm when none was set", alarm(1000));
    number("alarm again tells the seconds left, more than 900", alarm(2000) > 900);
    must("getitimer", getitimer(ITIMER_REAL, &value));
    fact("getitimer tells it, too", value.it_value.tv_sec > 1900 && value.it_interval.tv_sec == 0);
    in_child(in_a_child);
    value.it_value = (struct timeval){0, 0};
    result("setitimer to none", setitimer(ITIMER_REAL, &value, &old));
    fact("the old value", old.it_value.tv_sec > 1900);
    number("alarm(0) when none is set", alarm(0));

    set(ITIMER_REAL, 0, 1000, 0);
    sigsuspend(&none);
    number("once", alarms);
    must("getitimer", getitimer(ITIMER_REAL, &value));
    fact("then it is off", value.it_value.tv_sec == 0 && value.it_value.tv_usec == 0);
    set(ITIMER_REAL, 0, 1000, 1000);
    while (alarms < 10) sigsuspend(&none);
    set(ITIMER_REAL, 0, 0, 0);
    fact("again and again", alarms >= 10);
    set(ITIMER_VIRTUAL, 0, 2000, 0);
    for (volatile long i = 0; virtuals == 0; i++) continue;
    number("virtual time", virtuals);
    set(ITIMER_PROF, 0, 2000, 2000);
    while (profs < 3) getppid();
    set(ITIMER_PROF, 0, 0, 0);
    fact("profiling time, again and again", profs >= 3);

    value.it_value = (struct timeval){0, 1000000};
    result("too many microseconds", setitimer(ITIMER_REAL, &value, NULL));
    value.it_value = (struct timeval){-1, 0};
    result("negative seconds", setitimer(ITIMER_REAL, &value, NULL));
    result("an unknown timer", setitimer((__typeof__(ITIMER_REAL))9, &old, NULL));
    result("getitimer of an unknown one", getitimer((__typeof__(ITIMER_REAL))9, &old));
    result("a wild value", syscall(SYS_setitimer, ITIMER_REAL, WILD, NULL));
    result("getitimer to a wild value", syscall(SYS_getitimer, ITIMER_REAL, WILD));
    set(ITIMER_REAL, 3600, 0, 5000);
    pid_t child = must("fork", fork());
    if (child == 0) {
        set(ITIMER_REAL, 3600, 0, 5000);
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        _exit(1);
    }
    wait_status("exec", wait_for(child));
    return 0;
}
