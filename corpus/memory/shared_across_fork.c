/*
 * summary: shared anonymous memory is one for parent and child in both directions, private memory splits on write
 * calls: mmap fork munmap futex
 */
#include "apus.h"
#include <sys/mman.h>

enum { ROUNDS = 500 };

static void await(volatile int *word, int value) {
    for (int seen; (seen = *word) != value;) syscall(SYS_futex, word, 0, seen, NULL, NULL, 0);
}

static void set(volatile int *word, int value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, word, 1, 1000, NULL, NULL, 0);
}

int main(void) {
    int both = PROT_READ | PROT_WRITE;
    volatile int *shared = mmap(NULL, 1 << 20, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    volatile int *private = mmap(NULL, 1 << 20, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    private[0] = 1;
    pid_t child = must("fork", fork());
    if (child == 0) {
        for (int i = 1; i <= ROUNDS; i++) {
            await(shared, 2 * i - 1);
            private[0]++;
            shared[1000] += i;
            set(shared, 2 * i);
        }
        _exit(private[0] == ROUNDS + 1 ? 0 : 1);
    }
    for (int i = 1; i <= ROUNDS; i++) {
        set(shared, 2 * i - 1);
        await(shared, 2 * i);
    }
    wait_status("500 rounds of ping-pong", wait_for(child));
    number("the sum that the child made", shared[1000]);
    number("the private word", private[0]);

    int *counters = mmap(NULL, 4096, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[4];
    for (int c = 0; c < 4; c++) {
        children[c] = must("fork", fork());
        if (children[c] == 0) {
            for (int i = 0; i < 10000; i++) __atomic_fetch_add(counters, 1, __ATOMIC_RELAXED);
            _exit(0);
        }
    }
    for (int c = 0; c < 4; c++) wait_for(children[c]);
    number("four children counted to", counters[0]);

    child = must("fork", fork());
    if (child == 0) {
        counters[1] = 5;
        must("munmap", munmap(counters, 4096));
        pid_t grandchild = must("fork", fork());
        if (grandchild == 0) {
            shared[2000] = 6;
            _exit(0);
        }
        wait_for(grandchild);
        must("mprotect", mprotect((void *)shared, 4096, PROT_NONE));
        _exit(0);
    }
    wait_for(child);
    number("written before a child unmapped it", counters[1]);
    number("written by a grandchild", shared[2000]);
    shared[0] = 7;
    number("a child's mprotect is its own", shared[0]);
    return 0;
}
