/*
 * summary: timerfd counts expirations, can be rearmed, disarmed and asked, absolute and relative
 * calls: timerfd_create timerfd_settime timerfd_gettime read poll
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>

static int fd;

static long arm(int flags, long seconds, long nanoseconds, long interval) {
    struct itimerspec when = {.it_value = {seconds, nanoseconds}, .it_interval = {0, interval}};
    return timerfd_settime(fd, flags, &when, NULL);
}

int main(void) {
    uint64_t count = 0;
    char data[16];
    struct itimerspec now, old;
    struct timespec time;
    fd = must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    result("close-on-exec", fcntl(fd, F_GETFD));
    result("read of a disarmed one", read(fd, &count, 8));
    must("timerfd_gettime", timerfd_gettime(fd, &now));
    fact("disarmed: no time left", now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    result("armed for an hour", arm(0, 3600, 0, 7000));
    result("not readable", poll(&watched, 1, 0));
    must("timerfd_gettime", timerfd_gettime(fd, &now));
    fact("time is left", now.it_value.tv_sec >= 3500 && now.it_value.tv_sec <= 3600);
    number("the interval", now.it_interval.tv_nsec);
    struct itimerspec off = {{0, 0}, {0, 0}};
    result("disarmed", timerfd_settime(fd, 0, &off, &old));
    fact("the old setting is told", old.it_value.tv_sec >= 3500 && old.it_interval.tv_nsec == 7000);
    result("armed for a millisecond", arm(0, 0, 1000000, 0));
    result("poll", poll(&watched, 1, 10000));
    result("read", read(fd, &count, 8));
    number("expirations", count);
    result("read again", read(fd, &count, 8));
    result("every 100 microseconds", arm(0, 0, 100000, 100000));
    usleep(10000);
    result("read", read(fd, &count, 8));
    fact("many expirations at once", count >= 50);
    result("disarmed with expirations unread", timerfd_settime(fd, 0, &off, NULL));
    result("read", read(fd, &count, 8));
    must("clock_gettime", clock_gettime(CLOCK_MONOTONIC, &time));
    result("an absolute time that is past", arm(TFD_TIMER_ABSTIME, time.tv_sec > 1 ? time.tv_sec - 1 : 0, 1, 0));
    result("poll", poll(&watched, 1, 10000));
    result("read", read(fd, &count, 8));
    number("expirations", count);
    result("blocking read", fcntl(fd, F_SETFL, 0));
    result("armed for two milliseconds", arm(0, 0, 2000000, 0));
    result("read waits", read(fd, &count, 8));
    number("expirations", count);

    result("too many nanoseconds", arm(0, 0, 1000000000, 0));
    result("negative seconds", arm(0, -1, 0, 0));
    result("an unknown flag", arm(8, 1, 0, 0));
    result("a read of 7 bytes", read(fd, data, 7));
    result("a write", write(fd, &count, 8));
    result("a wild time", timerfd_settime(fd, 0, WILD, NULL));
    result("of another descriptor", timerfd_gettime(0, &now));
    result("an unknown clock", timerfd_create(99, 0));
    result("a clock of a process", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    result("an unknown flag", timerfd_create(CLOCK_MONOTONIC, 1));
    outcome("real time", timerfd_create(CLOCK_REALTIME, 0));
    outcome("boot time", timerfd_create(CLOCK_BOOTTIME, 0));
    return 0;
}
