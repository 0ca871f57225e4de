/*
 * summary: requeue moves waiters to another word, compare-requeue checks the value, wake-op does both words at once
 * calls: futex
 */
#include "apus.h"
#include <pthread.h>
#include <stdint.h>

#define WAIT 0
#define WAKE 1
#define REQUEUE 3
#define CMP_REQUEUE 4
#define WAKE_OP 5
#define PRIVATE 128

static uint32_t from, to;
static int woken;

static long futex(uint32_t *address, int operation, uint32_t value, unsigned long value2, uint32_t *address2,
                  uint32_t value3) {
    return syscall(SYS_futex, address, operation | PRIVATE, value, value2, address2, value3);
}

static void *waits(void *argument) {
    while (syscall(SYS_futex, argument, WAIT | PRIVATE, 0, NULL, NULL, 0) != 0 && errno == EINTR) continue;
    __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Moves waiters until the wanted number has moved: they may not be asleep yet. */
static int move(int wanted) {
    int total = 0;
    for (int i = 0; i < 5000 && total < wanted; i++) {
        long n = futex(&from, CMP_REQUEUE, 0, 100, &to, 0);
        if (n < 0) return -1;
        total += n;
        if (n == 0) usleep(1000);
    }
    return total;
}

static int wake(uint32_t *word, int wanted) {
    int total = 0;
    for (int i = 0; i < 5000 && total < wanted; i++) {
        total += futex(word, WAKE, 100, 0, NULL, 0);
        if (total < wanted) usleep(1000);
    }
    return total;
}

static uint32_t operation(int op, int argument, int compare, int against) {
    return (uint32_t)op << 28 | (uint32_t)compare << 24 | (uint32_t)argument << 12 | (uint32_t)against;
}

int main(void) {
    pthread_t threads[4];
    result("compare-requeue with another value", futex(&from, CMP_REQUEUE, 1, 1, &to, 1));
    result("compare-requeue without waiters", futex(&from, CMP_REQUEUE, 1, 1, &to, 0));
    result("a negative number to wake", futex(&from, CMP_REQUEUE, -1, 1, &to, 0));
    result("a wild second word", futex(&from, CMP_REQUEUE, 1, 1, NULL, 0));
    result("an odd second word", futex(&from, CMP_REQUEUE, 1, 1, (uint32_t *)((char *)&to + 1), 0));

    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, waits, &from);
    number("moved", move(4));
    result("wake at the old word", futex(&from, WAKE, 100, 0, NULL, 0));
    number("went on meanwhile", woken);
    result("requeue back: one woken, one moved", futex(&to, REQUEUE, 1, 1, &from, 0));
    result("wake at the second word", futex(&to, WAKE, 100, 0, NULL, 0));
    result("wake at the first", futex(&from, WAKE, 100, 0, NULL, 0));
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    number("went on in the end", woken);

    to = 10;
    result("wake-op: add 5, compare equal 10", futex(&from, WAKE_OP, 1, 1, &to, operation(1, 5, 0, 10)));
    number("the second word", to);
    result("wake-op: set 3", futex(&from, WAKE_OP, 1, 1, &to, operation(0, 3, 0, 0)));
    number("the second word", to);
    result("wake-op: or 12", futex(&from, WAKE_OP, 1, 1, &to, operation(2, 12, 0, 0)));
    number("the second word", to);
    result("wake-op: and-not 1", futex(&from, WAKE_OP, 1, 1, &to, operation(3, 1, 0, 0)));
    number("the second word", to);
    result("wake-op: xor 1 shifted by 4", futex(&from, WAKE_OP, 1, 1, &to, operation(4 | 8, 4, 0, 0)));
    number("the second word", to);
    result("wake-op: an unknown operation", futex(&from, WAKE_OP, 1, 1, &to, operation(6, 0, 0, 0)));
    to = 0;
    pthread_create(&threads[0], NULL, waits, &to);
    number("a waiter at the second word is there", move(0) + wake(&to, 1));
    pthread_join(threads[0], NULL);
    return 0;
}
