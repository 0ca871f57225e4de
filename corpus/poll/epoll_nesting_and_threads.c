/*
 * summary: epoll in poll and in epoll, loops refused, waiters in threads woken one at a time, time-outs and masks
 * calls: epoll_create1 epoll_ctl epoll_wait epoll_pwait poll eventfd2
 */
#include "apus.h"
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int epoll, done;
static volatile int handled;

static void handler(int number) { handled += number != 0; }

static void *takes(void *argument) {
    struct epoll_event event;
    uint64_t value;
    for (;;) {
        int n = epoll_wait(epoll, &event, 1, -1);
        if (n != 1) continue;
        if (event.data.fd == done) return argument;
        if (read(event.data.fd, &value, 8) == 8) __atomic_fetch_add((int *)argument, (int)value, __ATOMIC_SEQ_CST);
    }
}

static long add(int to, int fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(to, EPOLL_CTL_ADD, fd, &event);
}

int main(void) {
    struct epoll_event events[4];
    int outer = must("epoll_create1", epoll_create1(0)), inner = must("epoll_create1", epoll_create1(0));
    int event = must("eventfd", eventfd(0, EFD_NONBLOCK));
    result("inner into outer", add(outer, inner, EPOLLIN));
    result("outer into inner would be a loop", add(inner, outer, EPOLLIN));
    result("an event into the inner", add(inner, event, EPOLLIN));
    result("nothing yet", epoll_wait(outer, events, 4, 0));
    struct pollfd watched = {.fd = outer, .events = POLLIN};
    result("poll of the outer", poll(&watched, 1, 0));
    must("write", write(event, &(uint64_t){1}, 8));
    result("poll of the outer", poll(&watched, 1, 0));
    result("the outer", epoll_wait(outer, events, 4, 0));
    fact("names the inner", events[0].data.fd == inner);
    result("the inner", epoll_wait(inner, events, 4, 0));
    fact("names the event", events[0].data.fd == event);
    must("read", read(event, &(uint64_t){0}, 8));
    result("the outer after the read", epoll_wait(outer, events, 4, 0));
    int chain[7] = {inner};
    int depth = 1;
    for (; depth < 7; depth++) {
        chain[depth] = must("epoll_create1", epoll_create1(0));
        if (add(chain[depth], chain[depth - 1], EPOLLIN) != 0) break;
    }
    fact("nesting has a limit", depth < 7 && errno == ELOOP);

    epoll = must("epoll_create1", epoll_create1(0));
    done = must("eventfd", eventfd(0, EFD_NONBLOCK));
    int semaphore = must("eventfd", eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE)), sum = 0;
    must("epoll_ctl", add(epoll, done, EPOLLIN));
    must("epoll_ctl", add(epoll, semaphore, EPOLLIN));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, takes, &sum);
    for (int i = 0; i < 500; i++) must("write", write(semaphore, &(uint64_t){2}, 8));
    for (int i = 0; i < 10000 && __atomic_load_n(&sum, __ATOMIC_SEQ_CST) < 1000; i++) usleep(1000);
    must("write", write(done, &(uint64_t){1}, 8));
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    number("four threads took", sum);

    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGUSR1, handler, 0);
    kill(getpid(), SIGUSR1);
    result("a time-out with a blocked signal", epoll_wait(outer, events, 4, 1));
    result("epoll_pwait unblocks it", epoll_pwait(outer, events, 4, 60000, &none));
    number("handled", handled);
    result("epoll_pwait with a set of 4 bytes", syscall(SYS_epoll_pwait, outer, events, 4, 0, &none, 4));
    struct timespec millisecond = {0, 1000000}, bad = {0, 1000000000};
    result("epoll_pwait2", syscall(441, outer, events, 4, &millisecond, NULL, 8));
    result("epoll_pwait2 with a bad time", syscall(441, outer, events, 4, &bad, NULL, 8));

    int first = must("eventfd", eventfd(1, 0)), second = must("eventfd", eventfd(1, 0));
    int fair = must("epoll_create1", epoll_create1(0));
    must("epoll_ctl", add(fair, first, EPOLLIN));
    must("epoll_ctl", add(fair, second, EPOLLIN));
    int seen_first = 0;
    for (int i = 0; i < 10; i++) seen_first += epoll_wait(fair, events, 1, 0) == 1 && events[0].data.fd == first;
    number("two ready, one asked for: they take turns", seen_first);
    return 0;
}
