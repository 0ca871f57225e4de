/*
 * summary: a stop stops every thread, SIGCONT continues every one, and exit_group ends them wherever they are
 * calls: kill wait4 exit_group clone futex
 */
#include "apus.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>

struct state {
    volatile long counts[3];
    volatile int leave;
    int doors[2], inner;
};

static struct state *state;

/* The first one ends the process. */
static void *counts(void *argument) {
    volatile long *own = argument;
    for (;;) {
        (*own)++;
        if (state->leave && own == state->counts) _exit(17);
    }
}

static void *blocks(void *door) {
    for (;;) syscall(SYS_futex, door, FUTEX_WAIT, 0, NULL);
}

static void process(void) {
    pthread_t threads[4];
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, counts, (void *)&state->counts[i]);
    pthread_create(&threads[3], NULL, blocks, &state->doors[0]);
    blocks(&state->doors[1]);
}

/* The process's other two threads sleep: only a sleeper can be moved to another futex. */
static void wait_for_sleepers(void) {
    for (int i = 0; i < 2; i++)
        while (syscall(SYS_futex, &state->doors[i], FUTEX_CMP_REQUEUE, 0, 1L, &state->inner, 0) == 0) usleep(1000);
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
    pid_t child = must("fork", fork());
    if (child == 0) process();
    wait_for_sleepers();
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
    wait_status("its end, with two threads still blocked", wait_for(child));
    state->leave = 0;
    child = must("fork", fork());
    if (child == 0) process();
    wait_for_sleepers();
    fact("all threads of a second one count", all_move());
    kill(child, SIGKILL);
    wait_status("killed", wait_for(child));
    return 0;
}
