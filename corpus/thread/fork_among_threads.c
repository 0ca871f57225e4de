/*
 * summary: fork in a process with threads copies only the caller; atfork handlers run; the child may make threads
 * calls: clone fork futex wait4 set_robust_list
 */
#include "apus.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>

static volatile int leave;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void before(void) {
    pthread_mutex_lock(&lock);
    line("before");
}

static void in_parent(void) { pthread_mutex_unlock(&lock); }

static void in_the_child(void) {
    line("in the child");
    pthread_mutex_unlock(&lock);
}

static void *busy(void *argument) {
    while (!leave) {
        pthread_mutex_lock(&lock);
        (*(volatile long *)argument)++;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static int threads(void) {
    int count = 0;
    DIR *list = opendir("/proc/self/task");
    if (!list) return -1;
    for (struct dirent *entry; (entry = readdir(list));) count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

static void *forks(void *argument) {
    pid_t child = must("fork", fork());
    if (child == 0) {
        number("threads in the child", threads());
        fact("the forking thread is its main thread", syscall(SYS_gettid) == getpid());
        returned("the mutex is free", pthread_mutex_trylock(&lock));
        pthread_mutex_unlock(&lock);
        pthread_t thread;
        long count = 0;
        leave = 0;
        pthread_create(&thread, NULL, busy, &count);
        while (__atomic_load_n(&count, __ATOMIC_RELAXED) < 10) sched_yield();
        leave = 1;
        pthread_join(thread, NULL);
        fact("a thread of its own counts", count >= 10);
        exit(12);
    }
    *(int *)argument = wait_for(child);
    return NULL;
}

int main(void) {
    pthread_t many[4], forker;
    long count = 0;
    int status = 0;
    pthread_atfork(before, in_parent, in_the_child);
    for (int i = 0; i < 4; i++) pthread_create(&many[i], NULL, busy, &count);
    while (__atomic_load_n(&count, __ATOMIC_RELAXED) < 100) sched_yield();
    pthread_create(&forker, NULL, forks, &status);
    pthread_join(forker, NULL);
    wait_status("the child of a thread", status);
    leave = 1;
    for (int i = 0; i < 4; i++) pthread_join(many[i], NULL);
    fact("the parent's threads went on", count > 100);
    return 0;
}
