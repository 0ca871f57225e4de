/*
 * summary: MADV_DONTFORK keeps memory from children, whatever is mapped beside it, until MADV_DOFORK or a new mapping
 * calls: madvise fork mmap munmap
 */
#include "apus.h"
#include <sys/mman.h>

#define PAGE 4096l

static char *base;
static int page;

static void touch(void) { _exit(base[page * PAGE] == 'x' ? 7 : 8); }

static void see(const char *what, int at) {
    page = at;
    wait_status(what, in_child(touch));
}

static void fork_twice(void) {
    page = 1;
    wait_status("its own child", in_child(touch));
}

int main(void) {
    no_core();
    base = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) must("mmap", -1);
    memset(base, 'x', 40 * PAGE);
    must("munmap", munmap(base + 6 * PAGE, PAGE));
    result("MADV_DONTFORK", madvise(base, 3 * PAGE, MADV_DONTFORK));
    see("a page that is kept", 1);
    see("the one after", 3);
    fact("the parent still has it", base[PAGE] == 'x');
    result("MADV_DONTFORK across a hole", madvise(base + 4 * PAGE, 4 * PAGE, MADV_DONTFORK));
    see("before the hole", 5);
    see("after the hole", 7);
    see("beyond", 8);
    result("MADV_DOFORK of one page", madvise(base + PAGE, PAGE, MADV_DOFORK));
    see("that page", 1);
    see("the one before", 0);
    wait_status("a child that forks", in_child(fork_twice));
    if (mmap(base + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        must("mmap", -1);
    base[5 * PAGE] = 'x';
    see("a new mapping over a kept one", 5);
    for (int i = 10; i < 40; i += 2) must("madvise", madvise(base + i * PAGE, PAGE, MADV_DONTFORK));
    see("one of many", 38);
    see("one between them", 37);
    return 0;
}
