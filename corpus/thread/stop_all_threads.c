/*
 * summary: a stop stops every thread, SIGCONT continues every one, and exit_group ends them wherever they are
 * calls: kill wait4 exit_group clone futex
 */
#include "apus.h"
#include <pthread.h>
#include <sys/mman.h>

struct state {
    volatile long counts[3];
    volatile int leave;
};

static struct state *state;
static int ends[2];

static void *counts(void *argument) {
    volatile long *own = argument;
    while (!state->leave) (*own)++;
    return NULL;
}

static void *blocks(void *argument) {
    char byte;
    must("read", read(ends[0], &byte, 1));
    return argument;
}

static void process(void) {
    pthread_t threads[4];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, counts, (void *)&state->counts[i]);
    pthread_create(&threads[3], NULL, blocks, NULL);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    _exit(17);
}

/* All three counters move, or the 5 seconds of the watchdog are over. */
static int all_move(void) {
    long before[3];
    for (int i = 0; i < 3; i++) before[i] = state->counts[i];
    for (int round = 0; round < 5000; round++) {
        int moved = 0;
        for (int i = 0; i < 3; i++) moved += state->counts[i] != before[i];
        if (moved == 3) return 1;
        usleep(1000);
    }
    return 0;
}

int main(void) {
    int status;
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must("pipe", pipe(ends));
    pid_t child = must("fork", fork());
    if (child == 0) process();
    fact("all threads count", all_move());
    for (int round = 0; round < 3; round++) {
        kill(child, SIGSTOP);
        must("waitpid", waitpid(child, &status, WUNTRACED));
        wait_status("the process", status);
        long before[3], moved = 0;
        for (int i = 0; i < 3; i++) before[i] = state->counts[i];
        usleep(3000);
        for (int i = 0; i < 3; i++) moved += state->counts[i] != before[i];
        number("threads that count while it is stopped", moved);
        kill(child, SIGCONT);
        must("waitpid", waitpid(child, &status, WCONTINUED));
        wait_status("the process", status);
        fact("all threads count", all_move());
    }
    state->leave = 1;
    wait_status("its end, with one thread still blocked", wait_for(child));
    state->leave = 0;
    child = must("fork", fork());
    if (child == 0) process();
    fact("all threads of a second one count", all_move());
    kill(child, SIGKILL);
    wait_status("killed", wait_for(child));
    return 0;
}
