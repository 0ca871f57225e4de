// Commands that the bench program starts: their lives are measured, or they are kept from leaving anything behind.
#define _GNU_SOURCE
#include "bench.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int life(int repeats, char **command) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int i = 0; i < repeats; i++) {
        int child;
        int64_t start = now();
        errno = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
        if (errno) fail(command[0]);
        await(child, command[0]);
        printf("%.2f 1\n", (double)(now() - start));
    }
    return 0;
}

/// Leaves this thread, and what it starts, the first of the processors that it may use.
static void bind_to_one(void) {
    cpu_set_t allowed, one;
    checked(sched_getaffinity(0, sizeof allowed, &allowed), "sched_getaffinity");
    CPU_ZERO(&one);
    for (int number = 0; number < CPU_SETSIZE; number++)
        if (CPU_ISSET(number, &allowed)) {
            CPU_SET(number, &one);
            break;
        }
    checked(sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

static int parent_of(const char *process) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    long size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0) return -1;
    text[size] = 0;
    // The name is in parentheses and may hold any character.
    const char *end = strrchr(text, ')');
    int parent;
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

/// Kills the children; theirs become ours, and are killed the next time.
static void kill_children(void) {
    DIR *folder = opendir("/proc");
    if (!folder) fail("/proc");
    for (struct dirent *entry; (entry = readdir(folder));)
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid())
            kill(atoi(entry->d_name), SIGKILL);
    closedir(folder);
}

/// Reaps whoever has ended. The status of `child` is kept. Returns whether there are children left.
static int reap(int child, int *status) {
    for (;;) {
        int one, ended = waitpid(-1, &one, WNOHANG);
        if (ended == child) *status = one;
        if (ended == 0) return 1;
        if (ended < 0 && errno != EINTR) return 0;
    }
}

/// How often `guard` looks whether what its command left behind has gone, and how long it waits between: 2 s in all.
enum { looks = 100, between = 20 * 1000 };

int guard(int is_bound, char **command) {
    if (is_bound) bind_to_one();
    checked(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");
    sigset_t watched, before;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    sigaddset(&watched, SIGINT);
    sigprocmask(SIG_BLOCK, &watched, &before);
    // Whoever started this one may be killed: then there is still time to clean up.
    checked(prctl(PR_SET_PDEATHSIG, SIGTERM), "prctl");
    int child = (int)checked(fork(), "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        execvp(command[0], command);
        fail(command[0]);
    }
    int status = -1, is_left = 1, number = 0;
    while (status == -1 && is_left && number != SIGTERM && number != SIGINT) {
        number = sigwaitinfo(&watched, NULL);
        is_left = reap(child, &status);
    }
    if (status == -1) {
        while (reap(child, &status)) kill_children(), usleep(between / 10);
        return 128 + number;
    }
    for (int look = 0; is_left && look < looks; look++) usleep(between), is_left = reap(child, &status);
    if (is_left) {
        fprintf(stderr, "bench: %s: processes were left behind\n", command[0]);
        while (reap(child, &status)) kill_children(), usleep(between / 10);
        return 125;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
