/*
 * summary: hundreds of threads come and go, all exit at once, one calls exec or exit_group or dies in the middle of it
 * calls: clone3 exit exit_group execve kill futex
 */
#include "apus.h"
#include <pthread.h>
#include <time.h>

static volatile int leave;

static void *short_lived(void *argument) {
    __atomic_fetch_add((long *)argument, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void *busy(void *argument) {
    while (!leave) nanosleep(&(struct timespec){0, 1000000}, NULL);
    return argument;
}

static void *calls_exec(void *argument) {
    char *words[] = {"sh", "-c", "exit 23", NULL};
    char *none[] = {NULL};
    execve("/bin/sh", words, none);
    return argument;
}

static void *calls_exit(void *argument) { _exit(24); }

static void *faults(void *argument) {
    *(volatile char *)WILD = 1;
    return argument;
}

static void crowd(void *(*last)(void *)) {
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int i = 0; i < 50; i++) must("pthread_create", pthread_create(&thread, &small, busy, NULL) ? -1 : 0);
    if (last) pthread_create(&thread, NULL, last, NULL);
    for (;;) pause();
}

static void with_exec(void) { crowd(calls_exec); }
static void with_exit(void) { crowd(calls_exit); }
static void with_fault(void) { crowd(faults); }

int main(void) {
    long count = 0;
    no_core();
    for (int round = 0; round < 10; round++) {
        pthread_t threads[50];
        for (int i = 0; i < 50; i++)
            must("pthread_create", pthread_create(&threads[i], NULL, short_lived, &count) ? -1 : 0);
        for (int i = 0; i < 50; i++) pthread_join(threads[i], NULL);
    }
    number("threads that ran", count);
    for (int i = 0; i < 3; i++) {
        wait_status("one of 50 calls exec", in_child(with_exec));
        wait_status("one calls _exit", in_child(with_exit));
        wait_status("one faults", in_child(with_fault));
        pid_t child = must("fork", fork());
        if (child == 0) crowd(NULL);
        usleep(2000);
        kill(child, SIGKILL);
        wait_status("killed in the middle", wait_for(child));
    }
    return 0;
}
