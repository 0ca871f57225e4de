/*
 * summary: what the kernel does to futex words (FUTEX_WAKE_OP, PI locks) loses nothing that threads do to them meanwhile
 * calls: futex
 * timeout: 120
 */
#include "apus.h"
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#define WAKE_OP 5
#define LOCK_PI 6
#define UNLOCK_PI 7
#define TRYLOCK_PI 8
#define PRIVATE 128
#define OPERATION(operation, operand) ((operation) << 28 | ((operand) & 0xfff) << 12)
#define SET 0
#define ADD 1
#define OR 2
#define ANDN 3
#define XOR 4
#define ROUNDS 1000

static uint32_t word, other, lock;
static int stop, started;
static uint32_t added;
static long inside, entered, broken;

static long futex(uint32_t *address, int operation, uint32_t value, uint32_t *second, uint32_t value3) {
    return syscall(SYS_futex, address, operation | PRIVATE, value, 0, second, value3);
}

/* Adds to the word with instructions of its own, all the time. */
static void *adds(void *argument) {
    uint32_t mine = 0;
    do {
        __atomic_fetch_add(&word, 0x100, __ATOMIC_RELAXED);
        mine += 0x100;
        __atomic_store_n(&started, 1, __ATOMIC_RELAXED);
    } while (!__atomic_load_n(&stop, __ATOMIC_RELAXED));
    __atomic_fetch_add(&added, mine, __ATOMIC_SEQ_CST);
    return argument;
}

/* How many of the kernel's additions, or of the thread's, are missing in the end. */
static void operations(void) {
    pthread_t thread;
    long failures = 0;
    started = 0;
    pthread_create(&thread, NULL, adds, NULL);
    while (!__atomic_load_n(&started, __ATOMIC_RELAXED)) sched_yield();
    for (int i = 0; i < ROUNDS; i++) {
        failures += futex(&other, WAKE_OP, 1, &word, OPERATION(ADD, 3)) != 0;
        failures += futex(&other, WAKE_OP, 1, &word, OPERATION(ADD, -2)) != 0;
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    line("FUTEX_WAKE_OP failed: %ld", failures);
    line("additions lost: %u", word - added - ROUNDS);
}

/* The other operations while a thread changes the upper bits. */
static void bits(void) {
    pthread_t thread;
    long wrong = 0;
    word = added = 0;
    stop = 0;
    started = 0;
    pthread_create(&thread, NULL, adds, NULL);
    while (!__atomic_load_n(&started, __ATOMIC_RELAXED)) sched_yield();
    for (int i = 0; i < ROUNDS; i++) {
        futex(&other, WAKE_OP, 1, &word, OPERATION(OR, 0x81));
        wrong += (__atomic_load_n(&word, __ATOMIC_SEQ_CST) & 0xff) != 0x81;
        futex(&other, WAKE_OP, 1, &word, OPERATION(ANDN, 0x80));
        wrong += (__atomic_load_n(&word, __ATOMIC_SEQ_CST) & 0xff) != 0x01;
        futex(&other, WAKE_OP, 1, &word, OPERATION(XOR, 0x11));
        wrong += (__atomic_load_n(&word, __ATOMIC_SEQ_CST) & 0xff) != 0x10;
        futex(&other, WAKE_OP, 1, &word, OPERATION(ANDN, 0xff));
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    line("wrong low bits: %ld", wrong);
    line("additions lost among bits: %u", word - added);
    futex(&other, WAKE_OP, 1, &word, OPERATION(SET, 0x7ff));
    line("set: %x", word);
}

/* Takes and leaves the lock as C libraries do: in user space where that is possible. False if something was wrong. */
static int pass(uint32_t own, int tries) {
    uint32_t free = 0, owned = own;
    if (!__atomic_compare_exchange_n(&lock, &free, own, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        if (tries && futex(&lock, TRYLOCK_PI, 0, NULL, 0) != 0) return errno == EAGAIN;
        if (!tries && futex(&lock, LOCK_PI, 0, NULL, 0) != 0) return 0;
    }
    int alone = __atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST) == 0;
    entered++;
    __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
    return (__atomic_compare_exchange_n(&lock, &owned, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
            || futex(&lock, UNLOCK_PI, 0, NULL, 0) == 0) && alone;
}

static void *contends(void *argument) {
    uint32_t own = (uint32_t)syscall(SYS_gettid);
    for (int i = 0; i < ROUNDS && !broken; i++)
        if (!pass(own, i % 4 == 0)) __atomic_fetch_add(&broken, 1, __ATOMIC_SEQ_CST);
    return argument;
}

/* Has the lock half of the time, and leaves it by an instruction of its own. */
static void *hurries(void *argument) {
    uint32_t own = (uint32_t)syscall(SYS_gettid);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED) && !broken) {
        if (!pass(own, 0)) __atomic_fetch_add(&broken, 1, __ATOMIC_SEQ_CST);
        for (int k = 0; k < 4; k++) __asm__ volatile("pause");
    }
    return argument;
}

int main(void) {
    pthread_t threads[2], fast;
    operations();
    bits();
    alarm(100);
    stop = 0;
    pthread_create(&fast, NULL, hurries, NULL);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_create(&threads[i], NULL, contends, NULL);
    for (size_t i = 0; i < COUNT(threads); i++) pthread_join(threads[i], NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(fast, NULL);
    fact("somebody entered", entered > 0);
    line("exclusion broken, or a waiter lost: %ld", broken);
    line("the lock in the end: %u", lock);
    return 0;
}
