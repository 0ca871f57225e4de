// What the adversarial guests share: random numbers by seed, children that are always collected, and a witness that
// notices when another process of the sandbox comes to harm.
//
// Every guest takes a seed and a number of rounds. It does its worst in children, and ends with 0 when they are gone: after
// that many rounds, or when it has gone on for long enough.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t random_state = 88172645463325252ull;

static inline uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline uint64_t below(uint64_t limit) { return limit ? next_random() % limit : 0; }

static inline void seed_random(uint64_t seed) {
    random_state = 88172645463325252ull ^ (seed * 0x9e3779b97f4a7c15ull);
    if (!random_state) random_state = 1;
    for (int i = 0; i < 8; i++) next_random();
}

static inline void pause_for(long microseconds) {
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&time, 0);
}

static inline double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/// Waits for a child and ends it by its number after some seconds.
/// Returns its wait status.
static inline int collect(pid_t child, double seconds, const char *what) {
    int status = 0;
    double end = seconds_now() + seconds;
    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG | __WALL);
        if (got == child) return status;
        if (got < 0 && errno != EINTR) return -1;
        if (seconds_now() > end) break;
        pause_for(500);
    }
    fprintf(stderr, "%s: child %d is ended after %.1f s\n", what, child, seconds);
    kill(child, SIGKILL);
    end = seconds_now() + 20;
    while (waitpid(child, &status, WNOHANG | __WALL) != child) {
        if (seconds_now() > end) {
            fprintf(stderr, "%s: child %d does not die of SIGKILL\n", what, child);
            _exit(3);
        }
        pause_for(500);
    }
    return status;
}

// --- The witness ------------------------------------------------------------------------------------------------------

static int witness_question[2], witness_answer[2];
static pid_t witness_process;

/// A process that computes over memory of its own and answers on a pipe: what it must be able to do whatever its
/// neighbours are up to.
static inline void start_witness(void) {
    if (pipe(witness_question) < 0 || pipe(witness_answer) < 0) exit(4);
    witness_process = fork();
    if (witness_process < 0) exit(4);
    if (witness_process > 0) {
        close(witness_question[0]);
        close(witness_answer[1]);
        return;
    }
    close(witness_question[1]);
    close(witness_answer[0]);
    size_t count = 1 << 18;
    uint64_t *memory = mmap(0, count * 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) _exit(4);
    uint64_t number;
    while (read(witness_question[0], &number, 8) == 8) {
        uint64_t sum = 0;
        for (size_t i = 0; i < count; i += 64) memory[i] = number + i;
        double vector = (double)number;
        for (size_t i = 0; i < count; i += 64) {
            sum += memory[i] - i - number;
            vector = vector * 1.0;
        }
        number = sum == 0 && vector == (double)number ? number + 1 : 0;
        if (write(witness_answer[1], &number, 8) != 8) break;
    }
    _exit(0);
}

/// Ends the guest with 5 when the witness has come to harm.
static inline void ask_witness(const char *after) {
    uint64_t number = next_random() >> 12 | 1, answer = 0;
    if (write(witness_question[1], &number, 8) != 8 || read(witness_answer[0], &answer, 8) != 8 || answer != number + 1) {
        int status = 0;
        waitpid(witness_process, &status, WNOHANG);
        fprintf(stderr, "the witness has come to harm after %s (status %#x)\n", after, status);
        exit(5);
    }
}

static inline void end_witness(void) {
    close(witness_question[1]);
    collect(witness_process, 10, "witness");
}

/// Runs `body` in a child with random numbers of its own, and waits for it.
static inline int in_child(void (*body)(void), double seconds, const char *what) {
    uint64_t seed = next_random();
    pid_t child = fork();
    if (child < 0) {
        fprintf(stderr, "%s: fork: %s\n", what, strerror(errno));
        return -1;
    }
    if (child == 0) {
        // Not the child's to read and close.
        close(witness_question[1]);
        close(witness_answer[0]);
        seed_random(seed);
        body();
        _exit(0);
    }
    return collect(child, seconds, what);
}

/// The guest is to be short: one round with less of everything.
static int is_short;

/// `full` things to do, or few of them in a short run.
static inline long some(long full) { return is_short ? (full + 7) / 8 : full; }

/// When a guest has done enough, however little that was: under a kernel that is watched or traced everything takes many
/// times as long.
static double enough_at;
static inline int is_enough(void) { return seconds_now() > enough_at; }
static inline int goes_on(long round, long rounds) { return round < rounds && (round == 0 || !is_enough()); }

/// The numbers that the guests are given: seed and rounds; 0 rounds are a short one, without the word they are as many as
/// make a long one.
static inline void arguments(int count, char **words, uint64_t *seed, long *rounds, long standard) {
    *seed = count > 1 ? strtoull(words[1], 0, 0) : 1;
    *rounds = count > 2 ? strtol(words[2], 0, 0) : standard;
    is_short = *rounds == 0;
    if (is_short) *rounds = 1;
    enough_at = seconds_now() + (is_short ? 10 : 20);
    seed_random(*seed);
    setvbuf(stdout, 0, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
}

static double slowest __attribute__((unused));

/// Lets a child do its worst, and tells how long the witness waits for an answer meanwhile.
static inline void watch(void (*body)(void), const char *what) {
    uint64_t seed = next_random();
    pid_t child = fork();
    if (child == 0) {
        close(witness_question[1]);
        close(witness_answer[0]);
        seed_random(seed);
        body();
        _exit(0);
    }
    double begin = seconds_now(), end = begin + 30;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        double before = seconds_now();
        ask_witness(what);
        double took = seconds_now() - before;
        if (took > slowest) slowest = took;
        if (took > 1) fprintf(stderr, "%s: everybody else stood still for %.1f s\n", what, took);
        if (seconds_now() > end) kill(child, SIGKILL);
        pause_for(2000);
    }
    printf("%s: %.1f s\n", what, seconds_now() - begin);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 8) exit(1);
}
