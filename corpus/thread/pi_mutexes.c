/*
 * summary: priority-inheriting mutexes by futex: lock, try, unlock, deadlock, ownership and the owner's death
 * calls: futex
 */
#include "apus.h"
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define LOCK_PI 6
#define UNLOCK_PI 7
#define TRYLOCK_PI 8
#define PRIVATE 128

static uint32_t word;
static pthread_mutex_t mutex;
static long counter;

static long futex(int operation, const struct timespec *time) {
    return syscall(SYS_futex, &word, operation | PRIVATE, 0, time, NULL, 0);
}

static void *other(void *argument) {
    struct timespec past = {1, 0};
    result("another thread: trylock", futex(TRYLOCK_PI, NULL));
    result("lock until 1970", futex(LOCK_PI, &past));
    result("unlock", futex(UNLOCK_PI, NULL));
    return argument;
}

static void *waits(void *argument) {
    result("a thread that waits gets it", futex(LOCK_PI, NULL));
    fact("the word holds its id", (word & 0x3fffffff) == (uint32_t)syscall(SYS_gettid));
    result("it unlocks", futex(UNLOCK_PI, NULL));
    return argument;
}

static void *counts(void *argument) {
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

int main(void) {
    pthread_t thread, threads[4];
    result("lock", futex(LOCK_PI, NULL));
    fact("the word holds our id", word == (uint32_t)syscall(SYS_gettid));
    result("lock again", futex(LOCK_PI, NULL));
    result("trylock", futex(TRYLOCK_PI, NULL));
    pthread_create(&thread, NULL, other, NULL);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, waits, NULL);
    for (int i = 0; i < 5000 && !(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & 0x80000000u); i++) usleep(1000);
    fact("the word says that there are waiters", word >> 31);
    long handed_over = futex(UNLOCK_PI, NULL);
    pthread_join(thread, NULL);
    result("unlock hands it over", handed_over);
    number("the word afterwards", word);
    result("unlock when free", futex(UNLOCK_PI, NULL));
    word = 0x3fffffff;
    result("an owner that does not exist", futex(LOCK_PI, NULL));
    word = 0;

    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    returned("PTHREAD_PRIO_INHERIT", pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT));
    pthread_mutex_init(&mutex, &kind);
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, counts, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    number("4 threads counted to", counter);
    return 0;
}
