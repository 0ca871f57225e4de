#define _GNU_SOURCE
#include "poller.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RING 1024

static int epoll_descriptor = -1;
static uint32_t *bell;
static struct {
    uint64_t token;
    uint32_t events;
} ring[RING];
static _Atomic uint32_t produced, consumed;
/// 0 before there is a thread, 1 while the C library still sets it up, 2 when it only watches.
static _Atomic uint32_t stage;

static void *poll_forever(void *unused) {
    (void)unused;
    struct epoll_event events[64];
    atomic_store(&stage, 2);
    syscall(SYS_futex, &stage, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    for (;;) {
        int count = epoll_wait(epoll_descriptor, events, 64, -1);
        if (count <= 0) continue;
        for (int i = 0; i < count; i++) {
            // The kernel empties the ring at every turn; each descriptor is in it at most once.
            while (atomic_load(&produced) - atomic_load(&consumed) >= RING) usleep(1000);
            uint32_t slot = atomic_load(&produced) % RING;
            ring[slot].token = events[i].data.u64;
            ring[slot].events = events[i].events;
            atomic_fetch_add(&produced, 1);
        }
        __atomic_add_fetch(bell, 1, __ATOMIC_SEQ_CST);
        syscall(SYS_futex, bell, FUTEX_WAKE, 1, 0, 0, 0);
    }
    return 0;
}

int apus_poller_start(uint32_t *word) {
    bell = word;
    epoll_descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_descriptor < 0) return -errno;
    // Signals are for the kernel's own thread; but what the filter refuses is told of wherever it happens.
    sigset_t all, old;
    sigfillset(&all);
    sigdelset(&all, SIGSYS);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    atomic_store(&stage, 1);
    int error = pthread_create(&thread, &attributes, poll_forever, 0);
    if (error) atomic_store(&stage, 0);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &old, 0);
    return -error;
}

void apus_poller_settle(void) {
    while (atomic_load(&stage) == 1) syscall(SYS_futex, &stage, FUTEX_WAIT_PRIVATE, 1, 0, 0, 0);
}

int apus_poller_arm(int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.u64 = token};
    if (epoll_ctl(epoll_descriptor, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
    if (errno != ENOENT) return -errno;
    return epoll_ctl(epoll_descriptor, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

void apus_poller_disarm(int descriptor) { epoll_ctl(epoll_descriptor, EPOLL_CTL_DEL, descriptor, 0); }

uint32_t apus_poller_take(uint64_t *token) {
    uint32_t next = atomic_load(&consumed);
    if (next == atomic_load(&produced)) return 0;
    *token = ring[next % RING].token;
    uint32_t events = ring[next % RING].events;
    atomic_fetch_add(&consumed, 1);
    return events;
}
