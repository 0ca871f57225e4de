#define _GNU_SOURCE
#include "spawn_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// A NULL-terminated vector of the strings, to be freed; NULL when there is no memory.
static char **vector(struct apus_strings strings) {
    size_t count = 0;
    for (size_t at = 0; at < strings.count; at += strlen(strings.bytes + at) + 1) count++;
    char **pointers = calloc(count + 1, sizeof *pointers);
    if (!pointers) return NULL;
    count = 0;
    for (size_t at = 0; at < strings.count; at += strlen(strings.bytes + at) + 1)
        pointers[count++] = (char *)strings.bytes + at;
    return pointers;
}

static int become(const char *path, char **arguments, char **environment, const char *directory,
                  const int standard[3]) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int number = 1; number < 65; number++) sigaction(number, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    // Out of the way of 0 to 2 first: the caller may hand them over in any order.
    int moved[3];
    for (int index = 0; index < 3; index++) {
        moved[index] = standard[index] < 0 ? -1 : fcntl(standard[index], F_DUPFD_CLOEXEC, 10);
        if (standard[index] >= 0 && moved[index] < 0) return errno;
    }
    for (int index = 0; index < 3; index++)
        if (moved[index] >= 0 && dup2(moved[index], index) < 0) return errno;
    syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (directory && chdir(directory) < 0) return errno;
    // A program that was just written may still be open for writing, for a moment, in what another thread has forked meanwhile.
    for (int i = 0; i < 200; i++) {
        execve(path, arguments, environment);
        if (errno != ETXTBSY) break;
        const struct timespec moment = {0, 5000000};
        nanosleep(&moment, NULL);
    }
    return errno;
}

int apus_spawn(const char *path, struct apus_strings arguments, struct apus_strings environment, const char *directory,
               const int standard[3]) {
    int fail[2];
    if (pipe2(fail, O_CLOEXEC) < 0) return -errno;
    char **argv = vector(arguments), **envp = vector(environment);
    int child = -1, error = ENOMEM;
    if (argv && envp) {
        // No handler of ours may run in the child before it has reset them.
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int parent = getpid();
        child = fork();
        error = errno;
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            int failure = getppid() == parent ? become(path, argv, envp, directory, standard) : ESRCH;
            while (write(fail[1], &failure, sizeof failure) < 0 && errno == EINTR) {}
            _exit(127);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    free(argv), free(envp);
    close(fail[1]);
    if (child > 0) {
        int failure = 0;
        long got;
        do got = read(fail[0], &failure, sizeof failure);
        while (got < 0 && errno == EINTR);
        if (got == sizeof failure) {
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
            child = -1, error = failure;
        }
    }
    close(fail[0]);
    return child > 0 ? child : -error;
}

int apus_spawn_wait(int child, int milliseconds, int *status) {
    if (milliseconds >= 0) {
        int handle = (int)syscall(SYS_pidfd_open, child, 0);
        if (handle < 0) return -errno;
        struct timespec start, now;
        clock_gettime(CLOCK_MONOTONIC, &start);
        int ready, left = milliseconds;
        struct pollfd end = {.fd = handle, .events = POLLIN};
        while ((ready = poll(&end, 1, left)) < 0 && errno == EINTR) {
            clock_gettime(CLOCK_MONOTONIC, &now);
            long gone = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
            left = gone >= milliseconds ? 0 : milliseconds - (int)gone;
        }
        close(handle);
        if (ready == 0) return 0;
    }
    int result;
    do result = waitpid(child, status, 0);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 1;
}

int apus_execute(const char *path, struct apus_strings arguments, struct apus_strings environment, _Bool keeps) {
    char **argv = vector(arguments), **envp = vector(environment);
    if (!argv || !envp) return -ENOMEM;
    execve(path, argv, keeps ? environ : envp);
    int error = errno;
    free(argv), free(envp);
    return -error;
}
