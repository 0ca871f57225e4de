/*
 * summary: pthread_cancel ends blocked threads, runs their clean-up handlers, and respects the cancel state and type
 * calls: tgkill rt_sigaction read futex nanosleep
 */
#include "apus.h"
#include <pthread.h>
#include <semaphore.h>

static int ends[2];
static sem_t ready;
static volatile int spins;

static void clean(void *argument) { line("  clean-up %ld", (long)argument); }

static void *reads(void *argument) {
    char byte;
    pthread_cleanup_push(clean, (void *)1L);
    pthread_cleanup_push(clean, (void *)2L);
    sem_post(&ready);
    if (read(ends[0], &byte, 1) == 1) line("  read a byte");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return argument;
}

static void *waits(void *argument) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push((void (*)(void *))pthread_mutex_unlock, &mutex);
    sem_post(&ready);
    for (;;) pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(1);
    return argument;
}

static void *sleeps(void *argument) {
    sem_post(&ready);
    for (;;) sleep(60);
    return argument;
}

static void *disabled(void *argument) {
    int old;
    char byte;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    sem_post(&ready);
    long n = read(ends[0], &byte, 1);
    line("  with cancellation disabled, read: %ld", n);
    pthread_setcancelstate(old, NULL);
    pthread_testcancel();
    line("  never reached");
    return argument;
}

static void *asynchronous(void *argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(&ready);
    for (;;) spins++;
    return argument;
}

static void *ends_itself(void *argument) {
    pthread_cleanup_push(clean, (void *)3L);
    sem_post(&ready);
    pthread_exit((void *)99L);
    pthread_cleanup_pop(0);
    return argument;
}

static void try(const char *what, void *(*body)(void *), int cancel, int feed) {
    pthread_t thread;
    void *value = NULL;
    line("%s:", what);
    must("pthread_create", pthread_create(&thread, NULL, body, NULL) ? -1 : 0);
    while (sem_wait(&ready) != 0) continue;
    /* It gets to where it waits; if not, it is cancelled on its way there, and prints the same. */
    usleep(10000);
    if (cancel) pthread_cancel(thread);
    if (feed) must("write", write(ends[1], "x", 1));
    returned("  join", pthread_join(thread, &value));
    if (value == PTHREAD_CANCELED) line("  it was cancelled");
    else number("  its value", (long)value);
}

int main(void) {
    must("pipe", pipe(ends));
    sem_init(&ready, 0, 0);
    try("blocked in read", reads, 1, 0);
    try("not cancelled", reads, 0, 1);
    try("blocked in pthread_cond_wait", waits, 1, 0);
    try("asleep", sleeps, 1, 0);
    try("disabled", disabled, 1, 1);
    try("asynchronous, in a loop without calls", asynchronous, 1, 0);
    try("pthread_exit", ends_itself, 0, 0);
    try("blocked in pthread_cond_wait, the mutex is free again", waits, 1, 0);
    return 0;
}
