/*
 * summary: sleeps end early with a remainder, absolute ones without; ignored signals and stops do not end them
 * calls: nanosleep clock_nanosleep kill wait4
 */
#include "apus.h"
#include <time.h>

static volatile int handled;

static void handler(int number) { handled += number != 0; }

/* A child that sends the signal every two milliseconds. */
static pid_t start(int number) {
    pid_t target = getpid(), child = must("fork", fork());
    if (child == 0) {
        struct timespec pause_time = {0, 2000000};
        while (kill(target, number) == 0) nanosleep(&pause_time, NULL);
        _exit(0);
    }
    return child;
}

static void stop(pid_t child) {
    kill(child, SIGKILL);
    wait_for(child);
}

static void sleeps(void) {
    struct timespec time = {0, 50000000};
    _exit(nanosleep(&time, NULL) == 0 ? 3 : 4);
}

int main(void) {
    struct timespec hour = {3600, 0}, left = {0, 0}, zero = {0, 0}, now, short_time = {0, 10000000};
    handle(SIGUSR1, handler, SA_RESTART);
    pid_t child = start(SIGUSR1);
    result("nanosleep, a handler with SA_RESTART", nanosleep(&hour, &left));
    fact("most of the hour is left", left.tv_sec >= 3500 && left.tv_sec <= 3600);
    left = zero;
    returned("clock_nanosleep, relative", clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, &left));
    fact("most of the hour is left", left.tv_sec >= 3500 && left.tv_sec <= 3600);
    must("clock_gettime", clock_gettime(CLOCK_MONOTONIC, &now));
    now.tv_sec += 3600;
    left.tv_sec = 77;
    returned("clock_nanosleep, absolute", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, &left));
    number("the remainder is not touched", left.tv_sec);
    number("sleep(3600) tells whole seconds, more than 3,500", sleep(3600) > 3500);
    stop(child);
    fact("handled", handled > 0);

    child = start(SIGWINCH);
    result("an ignored signal does not end it", nanosleep(&short_time, NULL));
    stop(child);
    child = ready_child();
    if (child == 0) sleeps();
    int status = 0;
    for (int stops = 0; stops < 3; stops++) {
        kill(child, SIGSTOP);
        must("waitpid", waitpid(child, &status, WUNTRACED));
        if (!WIFSTOPPED(status)) break;
        kill(child, SIGCONT);
    }
    if (WIFSTOPPED(status)) status = wait_for(child);
    wait_status("stopped and continued, it sleeps on", status);

    must("clock_gettime", clock_gettime(CLOCK_REALTIME, &now));
    returned("an absolute time that is past", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &zero, NULL));
    now.tv_nsec += 2000000;
    now.tv_sec += now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    returned("until in two milliseconds", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &now, NULL));
    struct timespec after;
    must("clock_gettime", clock_gettime(CLOCK_REALTIME, &after));
    long long late = (after.tv_sec - now.tv_sec) * 1000000000ll + after.tv_nsec - now.tv_nsec;
    fact("it did not wake early", late >= 0);
    result("no time", nanosleep(&zero, NULL));
    struct timespec bad = {0, 1000000000}, negative = {-1, 0};
    result("too many nanoseconds", nanosleep(&bad, NULL));
    result("negative seconds", nanosleep(&negative, NULL));
    result("a wild time", syscall(SYS_nanosleep, WILD, NULL));
    returned("an unknown clock", clock_nanosleep(77, 0, &zero, NULL));
    returned("the thread's own processor time", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &zero, NULL));
    return 0;
}
