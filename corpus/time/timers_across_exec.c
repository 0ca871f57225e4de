/*
 * summary: interval timers stay over execve and timer_create's do not; a fork's child has neither
 * calls: setitimer timer_create execve fork
 */
#include "apus.h"
#include <sys/time.h>
#include <time.h>

static void show(const char *who) {
    struct itimerval interval;
    struct itimerspec value;
    sigset_t set;
    char text[64];
    getitimer(ITIMER_REAL, &interval);
    snprintf(text, sizeof text, "%s: the interval timer runs", who);
    fact(text, interval.it_value.tv_sec > 0);
    snprintf(text, sizeof text, "%s: timer_gettime", who);
    result(text, syscall(SYS_timer_gettime, 0, &value));
    snprintf(text, sizeof text, "%s: its signal is pending", who);
    sigpending(&set);
    fact(text, sigismember(&set, SIGUSR1));
}

int main(int count, char **arguments) {
    if (count > 1) {
        show("the new program");
        return 0;
    }
    struct itimerval interval = {{0, 0}, {1000, 0}};
    struct itimerspec value = {{1000, 0}, {0, 1}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    sigset_t set;
    int number = -1, status;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &interval, NULL);
    result("timer_create", syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &number));
    result("timer_settime", syscall(SYS_timer_settime, number, 0, &value, NULL));
    for (int i = 0; i < 5000; i++) {
        usleep(1000);
        sigpending(&set);
        if (sigismember(&set, SIGUSR1)) break;
    }
    show("the process");
    if (fork() == 0) {
        show("its child");
        _exit(0);
    }
    wait(&status);
    execl("/proc/self/exe", arguments[0], "again", (char *)NULL);
    return 1;
}
