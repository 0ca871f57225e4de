/*
 * summary: processes that share a robust mutex are killed wherever they are: the others always get it, marked as a dead owner's
 * calls: futex set_robust_list kill
 * variants: glibc-dynamic glibc-static
 * timeout: 60
 */
#include "apus.h"
#include <pthread.h>
#include <sys/mman.h>

#define PROCESSES 3
#define ROUNDS 6

static struct shared {
    pthread_mutex_t mutex;
    volatile long passes, errors;
} *shared;

/* Takes and leaves the mutex for ever. */
static void contend(void) {
    for (;;) {
        int error = pthread_mutex_lock(&shared->mutex);
        if (error == EOWNERDEAD) error = pthread_mutex_consistent(&shared->mutex);
        if (error != 0) {
            shared->errors++;
            _exit(1);
        }
        shared->passes++;
        pthread_mutex_unlock(&shared->mutex);
    }
}

static void kill_owners(const char *what, int protocol) {
    pthread_mutexattr_t attributes;
    long killed = 0, recovered = 0;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutex_init(&shared->mutex, &attributes);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[PROCESSES];
        int status;
        for (int i = 0; i < PROCESSES; i++)
            if ((children[i] = fork()) == 0) contend();
        usleep(10000);
        for (int i = 0; i < PROCESSES; i++) {
            kill(children[i], SIGKILL);
            usleep(1000);
        }
        for (int i = 0; i < PROCESSES; i++) killed += waitpid(children[i], &status, 0) == children[i] && status == SIGKILL;
        int error = pthread_mutex_lock(&shared->mutex);
        if (error == EOWNERDEAD) error = pthread_mutex_consistent(&shared->mutex);
        recovered += error == 0;
        pthread_mutex_unlock(&shared->mutex);
    }
    line("%s: %ld killed, %ld times recovered, %ld errors, passes %s", what, killed, recovered, shared->errors,
         shared->passes > 0 ? "yes" : "no");
}

int main(void) {
    alarm(50);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    kill_owners("plain", PTHREAD_PRIO_NONE);
    kill_owners("priority-inheriting", PTHREAD_PRIO_INHERIT);
    return 0;
}
