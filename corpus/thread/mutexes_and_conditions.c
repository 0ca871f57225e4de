/*
 * summary: mutexes of all kinds, condition variables, barriers and read-write locks keep their promises
 * calls: futex
 */
#include "apus.h"
#include <pthread.h>
#include <time.h>

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, checked, recursive;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long counter;
static int turn, serial, readers_ok;

static void *counts(void *argument) {
    for (int i = 0; i < 5000; i++) {
        pthread_mutex_lock(&plain);
        counter++;
        pthread_mutex_unlock(&plain);
    }
    return argument;
}

static void *takes_turns(void *argument) {
    int own = (int)(long)argument;
    for (int round = 0; round < 200; round++) {
        pthread_mutex_lock(&plain);
        while (turn % 4 != own) pthread_cond_wait(&condition, &plain);
        turn++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&plain);
    }
    int role = pthread_barrier_wait(&barrier);
    if (role == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void *shares(void *argument) {
    for (int i = 0; i < 500; i++) {
        if (i % 10 == (long)argument) {
            pthread_rwlock_wrlock(&lock);
            counter++;
            counter--;
        } else {
            pthread_rwlock_rdlock(&lock);
            if (counter == 40000) __atomic_fetch_add(&readers_ok, 1, __ATOMIC_RELAXED);
        }
        pthread_rwlock_unlock(&lock);
    }
    return NULL;
}

static void run(void *(*body)(void *), int count) {
    pthread_t threads[8];
    for (long i = 0; i < count; i++)
        must("pthread_create", pthread_create(&threads[i], NULL, body, (void *)i) ? -1 : 0);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static void *tries(void *argument) {
    returned("another thread tries the lock", pthread_mutex_trylock(argument));
    returned("another thread unlocks", pthread_mutex_unlock(argument));
    struct timespec past = {1, 0};
    returned("another thread waits until 1970", pthread_mutex_timedlock(argument, &past));
    return NULL;
}

int main(void) {
    pthread_mutexattr_t kind;
    pthread_t thread;
    struct timespec soon;
    run(counts, 8);
    number("8 threads counted to", counter);
    pthread_barrier_init(&barrier, NULL, 4);
    run(takes_turns, 4);
    number("turns taken in order", turn);
    number("threads told to be the serial one", serial);
    run(shares, 4);
    number("readers that saw no writer's half", readers_ok);

    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checked, &kind);
    returned("error-checking: lock", pthread_mutex_lock(&checked));
    returned("lock again", pthread_mutex_lock(&checked));
    pthread_create(&thread, NULL, tries, &checked);
    pthread_join(thread, NULL);
    returned("unlock", pthread_mutex_unlock(&checked));
    returned("unlock again", pthread_mutex_unlock(&checked));
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&recursive, &kind);
    returned("recursive: lock", pthread_mutex_lock(&recursive));
    returned("lock again", pthread_mutex_lock(&recursive));
    returned("unlock", pthread_mutex_unlock(&recursive));
    returned("unlock", pthread_mutex_unlock(&recursive));
    returned("unlock once too often", pthread_mutex_unlock(&recursive));

    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 5000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    pthread_mutex_lock(&plain);
    returned("a condition that nobody signals", pthread_cond_timedwait(&condition, &plain, &soon));
    soon.tv_nsec = 1000000000;
    returned("a time with too many nanoseconds", pthread_cond_timedwait(&condition, &plain, &soon));
    pthread_mutex_unlock(&plain);
    return 0;
}
