/*
 * summary: threads are created, joined, tried, timed and detached; identities differ within one process
 * calls: clone3 clone futex gettid getpid exit
 */
#include "apus.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

static sem_t gate;
static pid_t main_tid, thread_tid;
static int shared;

static void *body(void *argument) {
    thread_tid = syscall(SYS_gettid);
    fact("the process is the same", getpid() == main_tid);
    fact("the thread is another", thread_tid != main_tid);
    fact("the parent is the process's", getppid() == *(pid_t *)argument);
    shared = 11;
    return (void *)123L;
}

static void *waits(void *argument) {
    sem_wait(&gate);
    return argument;
}

static void *adds(void *argument) {
    for (int i = 0; i < 1000; i++) __atomic_fetch_add((int *)argument, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void) {
    pthread_t thread, many[32];
    void *value = NULL;
    pid_t parent = getppid();
    main_tid = syscall(SYS_gettid);
    fact("the main thread's id is the pid", main_tid == getpid());
    int created = pthread_create(&thread, NULL, body, &parent);
    returned("pthread_join", pthread_join(thread, &value));
    number("its value", (long)value);
    returned("pthread_create", created);
    number("what it wrote", shared);

    sem_init(&gate, 0, 0);
    pthread_create(&thread, NULL, waits, (void *)7L);
    returned("pthread_tryjoin_np while it runs", pthread_tryjoin_np(thread, &value));
    struct timespec past = {1, 0};
    returned("pthread_timedjoin_np with a past time", pthread_timedjoin_np(thread, &value, &past));
    sem_post(&gate);
    returned("pthread_join", pthread_join(thread, &value));
    number("its value", (long)value);

    int count = 0;
    for (size_t i = 0; i < COUNT(many); i++)
        must("pthread_create", pthread_create(&many[i], NULL, adds, &count) ? -1 : 0);
    for (size_t i = 0; i < COUNT(many); i++) pthread_join(many[i], NULL);
    number("32 threads counted to", count);

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 8; i++) must("pthread_create", pthread_create(&thread, &attributes, adds, &count) ? -1 : 0);
    while (__atomic_load_n(&count, __ATOMIC_RELAXED) != 40000) sched_yield();
    number("with 8 detached ones to", count);
    returned("a stack size of 1", pthread_attr_setstacksize(&attributes, 1));
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_JOINABLE);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    returned("a stack of a mebibyte", pthread_create(&thread, &attributes, adds, &count));
    returned("join", pthread_join(thread, NULL));
    return 0;
}
