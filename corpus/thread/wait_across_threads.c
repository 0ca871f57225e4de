/*
 * summary: any thread may wait for any thread's children, unless __WNOTHREAD; children outlive their thread
 * calls: wait4 waitid clone getppid
 */
#include "apus.h"
#include <pthread.h>

#define NOTHREAD 0x20000000

static pid_t child;
static int gate[2];

static void *forks(void *argument) {
    child = must("fork", fork());
    if (child == 0) {
        char byte;
        must("read", read(gate[0], &byte, 1));
        _exit((int)(long)argument);
    }
    return NULL;
}

static void *waits(void *argument) {
    int status = 0;
    result("another thread, __WNOTHREAD", waitpid(child, &status, NOTHREAD));
    result("another thread, WNOHANG", waitpid(child, &status, WNOHANG));
    must("write", write(gate[1], "x", 1));
    fact("another thread waits", waitpid(child, &status, 0) == child);
    wait_status("the child", status);
    return argument;
}

static void *waits_for_any(void *argument) {
    int status;
    long own = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, 0)) > 0;) own++;
    *(long *)argument = own;
    return NULL;
}

int main(void) {
    pthread_t thread, threads[4];
    int status;
    must("pipe", pipe(gate));
    forks((void *)5L);
    pthread_create(&thread, NULL, waits, NULL);
    pthread_join(thread, NULL);

    pthread_create(&thread, NULL, forks, (void *)6L);
    pthread_join(thread, NULL);
    must("write", write(gate[1], "x", 1));
    fact("the child of a thread that is gone", waitpid(child, &status, 0) == child);
    wait_status("status", status);

    int many[2];
    must("pipe", pipe(many));
    for (int i = 0; i < 20; i++) {
        pid_t pid = must("fork", fork());
        if (pid == 0) {
            char byte;
            close(many[1]);
            _exit(read(many[0], &byte, 1) != 0);
        }
    }
    long counts[4], total = 0;
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, waits_for_any, &counts[i]);
    close(many[1]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        total += counts[i];
    }
    number("children that four threads waited for", total);
    result("nobody is left", waitpid(-1, &status, NOTHREAD));
    return 0;
}
