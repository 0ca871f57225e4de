/*
 * summary: clocks go forward, agree with each other, have resolutions, and refuse what they should
 * calls: clock_gettime clock_getres gettimeofday time clock_settime times
 */
#include "apus.h"
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static long long now(clockid_t clock) {
    struct timespec time;
    must("clock_gettime", clock_gettime(clock, &time));
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static long long raw_now(clockid_t clock) {
    struct timespec time;
    must("clock_gettime", syscall(SYS_clock_gettime, clock, &time));
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void forward(const char *what, clockid_t clock) {
    struct timespec resolution;
    long long last = 0;
    int backward = 0, bad = 0;
    for (int i = 0; i < 20000; i++) {
        long long next = i % 2 ? raw_now(clock) : now(clock);
        backward += next < last;
        last = next;
    }
    must("clock_getres", clock_getres(clock, &resolution));
    bad = resolution.tv_sec != 0 || resolution.tv_nsec <= 0;
    line("%s: steps backward %d, resolution %s", what, backward, bad ? "bad" : "good");
}

int main(void) {
    forward("CLOCK_MONOTONIC, by library and call in turn", CLOCK_MONOTONIC);
    forward("CLOCK_MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE);
    forward("CLOCK_BOOTTIME", CLOCK_BOOTTIME);
    forward("CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW);
    forward("CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID);
    forward("CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID);
    long long monotonic = now(CLOCK_MONOTONIC), boot = now(CLOCK_BOOTTIME);
    fact("boot time is not behind monotonic time", boot >= monotonic);
    fact("the coarse clock is not ahead", now(CLOCK_MONOTONIC_COARSE) <= now(CLOCK_MONOTONIC));
    struct timeval day;
    struct timespec real;
    must("clock_gettime", clock_gettime(CLOCK_REALTIME, &real));
    must("gettimeofday", gettimeofday(&day, NULL));
    time_t seconds = time(NULL);
    fact("gettimeofday agrees with CLOCK_REALTIME", day.tv_sec - real.tv_sec <= 30 && day.tv_usec < 1000000);
    fact("time does", seconds - real.tv_sec <= 30 && seconds >= real.tv_sec - 1);
    /* The wall's time is taken around the processor's, so that a pause between two calls counts for the right side. */
    long long wall = now(CLOCK_MONOTONIC), before = now(CLOCK_PROCESS_CPUTIME_ID);
    volatile unsigned work = 0;
    while (now(CLOCK_PROCESS_CPUTIME_ID) - before < 24000000) work++;
    /* The sandbox knows it to a tick of its host only, which is 10 ms at the most. */
    fact("processor time passes while computing", now(CLOCK_MONOTONIC) - wall >= 12000000);
    before = now(CLOCK_THREAD_CPUTIME_ID);
    usleep(20000);
    fact("not while sleeping", now(CLOCK_THREAD_CPUTIME_ID) - before < 15000000);
    struct tms usage;
    clock_t first = times(&usage), second = times(NULL);
    fact("times goes forward", second >= first && first != (clock_t)-1);
    number("clock ticks a second", sysconf(_SC_CLK_TCK));
    number("no children's time yet", usage.tms_cutime + usage.tms_cstime);

    result("an unknown clock", clock_gettime(77, &real));
    result("a negative clock", clock_gettime(-1, &real));
    result("clock_getres of an unknown clock", clock_getres(77, &real));
    result("clock_getres with no buffer", clock_getres(CLOCK_MONOTONIC, NULL));
    result("a wild buffer", syscall(SYS_clock_gettime, CLOCK_REALTIME, WILD));
    result("gettimeofday to a wild buffer", syscall(SYS_gettimeofday, WILD, NULL));
    result("time to a wild buffer", syscall(SYS_time, WILD));
    real = (struct timespec){.tv_sec = 1, .tv_nsec = 1000000000};
    result("clock_settime of the monotonic clock", clock_settime(CLOCK_MONOTONIC, &real));
    result("clock_settime with too many nanoseconds", clock_settime(CLOCK_REALTIME, &real));
    clockid_t clock;
    returned("clock_getcpuclockid", clock_getcpuclockid(0, &clock));
    result("which can be read", clock_gettime(clock, &real));
    return 0;
}
