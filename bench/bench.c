// Measures one operation, or the life of a process. What is measured is printed as nanoseconds, one line for each batch
// or life; everything that goes wrong is a message and a status other than 0.
//
//   bench micro NAME [MILLISECONDS]    an operation: nanoseconds for each, and how many made the batch
//   bench life REPEATS COMMAND…        spawn to wait of a command, its output thrown away
//   bench guard all|one COMMAND…       a command, on all processors or bound to one, of which nothing stays behind
//   bench idle                         says `ready` and sleeps until it is ended
//   bench port                         a port of 127.0.0.1 that is free; fails where there is no AF_INET
//   bench get PORT COUNT               so many requests to an HTTP server at 127.0.0.1
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { batches = 5 };

void fail(const char *what) {
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

long checked(long result, const char *what) {
    if (result < 0) fail(what);
    return result;
}

int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

void await(int child, const char *what) {
    int status, got;
    do got = waitpid(child, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got != child) fail("waitpid");
    if (status == 0) return;
    fprintf(stderr, "bench: %s: ended by %s %d\n", what, WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    exit(1);
}

static int64_t timed(const struct operation *operation, long count) {
    int64_t start = now();
    operation->run(count);
    return now() - start;
}

/// Finds the count with which a batch takes its share of the time; that warms up what gets faster by and by, too.
static void measure(const struct operation *operation, int64_t nanoseconds) {
    const int64_t enough = nanoseconds / (2 * batches);
    long count = 1;
    int64_t elapsed;
    while ((elapsed = timed(operation, count)) < enough && count < 1L << 30) {
        // Not more than eightfold: a first call may be a thousand times slower than the next.
        long wanted = elapsed > 0 ? (long)((double)count * (double)enough / (double)elapsed) + 1 : count * 8;
        count = wanted > count * 8 ? count * 8 : wanted > count ? wanted : count + 1;
    }
    if (elapsed < 2 * enough) count = (long)((double)count * 2.0 * (double)enough / (double)elapsed) + 1;
    for (int batch = 0; batch < batches; batch++)
        printf("%.2f %ld\n", (double)timed(operation, count) / (double)count, count);
}

/// Only the first touch of fresh memory is measured, and not the making and removing of it.
static void touch_64_mebibytes(void) {
    const size_t size = 64UL << 20;
    for (int batch = 0; batch < batches; batch++) {
        volatile char *start = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) fail("mmap");
        int64_t begun = now();
        for (size_t offset = 0; offset < size; offset += 4096) start[offset] = 1;
        printf("%.2f 1\n", (double)(now() - begun));
        munmap((void *)start, size);
    }
}

static int micro(const char *name, int milliseconds) {
    if (!strcmp(name, "touch64")) {
        touch_64_mebibytes();
        return 0;
    }
    const struct operation *const lists[] = {call_operations, partner_operations};
    for (int list = 0; list < 2; list++)
        for (const struct operation *operation = lists[list]; operation->name; operation++) {
            if (strcmp(operation->name, name)) continue;
            if (operation->prepare) operation->prepare();
            measure(operation, milliseconds * 1000000L);
            return 0;
        }
    fprintf(stderr, "bench: there is no operation '%s'\n", name);
    return 64;
}

static _Noreturn void idle(void) {
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}

static int number(const char *word, int least) {
    char *end;
    long value = strtol(word, &end, 10);
    return *word && !*end && value >= least && value < 1000000 ? (int)value : -1;
}

int main(int count, char **words) {
    const char *mode = count > 1 ? words[1] : "";
    if (!strcmp(mode, "micro") && (count == 3 || (count == 4 && number(words[3], 1) > 0)))
        return micro(words[2], count == 4 ? number(words[3], 1) : 200);
    if (!strcmp(mode, "life") && count > 3 && number(words[2], 1) > 0) return life(number(words[2], 1), words + 3);
    if (!strcmp(mode, "guard") && count > 3 && (!strcmp(words[2], "all") || !strcmp(words[2], "one")))
        return guard(!strcmp(words[2], "one"), words + 3);
    if (!strcmp(mode, "idle") && count == 2) idle();
    if (!strcmp(mode, "port") && count == 2) return free_port();
    if (!strcmp(mode, "get") && count == 4 && number(words[2], 1) > 0 && number(words[3], 1) > 0)
        return get_pages(number(words[2], 1), number(words[3], 1));
    fputs("bench: wrong usage; the head of bench.c says what there is\n", stderr);
    return 64;
}
