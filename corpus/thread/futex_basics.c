/*
 * summary: futex wait and wake: values, counts, time-outs, bit sets, invalid addresses and operations
 * calls: futex
 */
#include "apus.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#define WAIT 0
#define WAKE 1
#define WAIT_BITSET 9
#define WAKE_BITSET 10
#define PRIVATE 128
#define REALTIME 256

static uint32_t word, gate;
static int woken;

static long futex(uint32_t *address, int operation, uint32_t value, const struct timespec *time, uint32_t bits) {
    return syscall(SYS_futex, address, operation, value, time, NULL, bits);
}

static void *waits(void *argument) {
    uint32_t bits = (uint32_t)(long)argument;
    __atomic_fetch_add(&gate, 1, __ATOMIC_SEQ_CST);
    while (futex(&word, WAIT_BITSET | PRIVATE, 5, NULL, bits) != 0 && errno == EINTR) continue;
    __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Wakes until the wanted number has been woken: the waiters may not be asleep yet. */
static int wake(int operation, int count, uint32_t bits, int wanted) {
    int total = 0;
    for (int i = 0; i < 5000 && total < wanted; i++) {
        long n = futex(&word, operation, count, NULL, bits);
        if (n < 0) return -1;
        total += n;
        if (n == 0) usleep(1000);
    }
    return total;
}

int main(void) {
    pthread_t threads[4];
    struct timespec none = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0}, millisecond = {0, 1000000}, now;
    word = 5;
    result("wait with another value", futex(&word, WAIT, 4, NULL, 0));
    result("wait with no time", futex(&word, WAIT, 5, &none, 0));
    result("wait a millisecond", futex(&word, WAIT | PRIVATE, 5, &millisecond, 0));
    clock_gettime(CLOCK_MONOTONIC, &now);
    result("a bit-set wait until now, monotonic", futex(&word, WAIT_BITSET, 5, &now, ~0u));
    clock_gettime(CLOCK_REALTIME, &now);
    result("a bit-set wait until now, real time", futex(&word, WAIT_BITSET | REALTIME, 5, &now, ~0u));
    result("another value comes before a past time", futex(&word, WAIT_BITSET, 6, &none, ~0u));
    result("too many nanoseconds", futex(&word, WAIT, 5, &bad, 0));
    result("negative time", futex(&word, WAIT, 5, &negative, 0));
    result("an empty bit set", futex(&word, WAIT_BITSET, 5, &none, 0));
    result("an odd address", futex((uint32_t *)((char *)&word + 1), WAIT, 5, &none, 0));
    result("a wild address", futex(WILD, WAIT, 5, &none, 0));
    result("a kernel address", futex(KERNEL_ADDRESS, WAIT, 5, &none, 0));
    result("a wild time", futex(&word, WAIT, 5, WILD, 0));
    result("an unknown operation", futex(&word, 99, 5, NULL, 0));
    result("real time with wake", futex(&word, WAKE | REALTIME, 1, NULL, 0));
    result("wake without waiters", futex(&word, WAKE, 1, NULL, 0));
    result("wake of an unmapped private address", futex(WILD, WAKE | PRIVATE, 1, NULL, 0));
    result("wake with an empty bit set", futex(&word, WAKE_BITSET, 1, NULL, 0));

    for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, waits, (void *)(1L << i));
    number("woken by bit 2", wake(WAKE_BITSET | PRIVATE, 100, 4, 1));
    number("woken by bit 2 again", futex(&word, WAKE_BITSET | PRIVATE, 100, NULL, 4));
    number("woken by wake 1", wake(WAKE | PRIVATE, 1, 0, 1));
    number("woken by wake 100", wake(WAKE | PRIVATE, 100, 0, 2));
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    number("threads that went on", woken);

    uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = must("fork", fork());
    if (child == 0) {
        while (__atomic_load_n(shared, __ATOMIC_SEQ_CST) == 0) futex(shared, WAIT, 0, NULL, 0);
        _exit(*shared);
    }
    usleep(1000);
    __atomic_store_n(shared, 9, __ATOMIC_SEQ_CST);
    must("futex", futex(shared, WAKE, 1, NULL, 0));
    wait_status("a child that waited in shared memory", wait_for(child));
    return 0;
}
