/*
 * summary: when the other threads have ended and a new one cannot be made, the last thread's end is the process's
 * calls: clone3 exit fork wait4
 */
#include "apus.h"
#include <pthread.h>
#include <sys/syscall.h>

static void *nothing(void *unused) { return unused; }

/* Of too small a size: no thread comes of it. */
static long birth(void) {
    long words[1] = {0};
    return syscall(SYS_clone3, words, sizeof words);
}

static void last(int births) {
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL)) _exit(1);
        for (int n = 0; n < births; n++) {
            if (birth() != -1 || errno != EINVAL) _exit(2);
        }
    }
    syscall(SYS_exit, 7);
}

int main(void) {
    for (int births = 0; births < 3; births++) {
        int status;
        pid_t child = must("fork", fork());
        if (child == 0) last(births);
        must("waitpid", waitpid(child, &status, 0));
        wait_status("the last thread's end", status);
    }
    return 0;
}
