/*
 * summary: a shared futex needs a page that may be looked at, even to wake nobody; a private one goes by its address
 * calls: futex mmap munmap
 */
#include "apus.h"
#include <sys/mman.h>

#define FUTEX_WAKE 1
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_PRIVATE 128
#define FUTEX_WAKE_PRIVATE (FUTEX_WAKE | FUTEX_PRIVATE)
#define FUTEX_CMP_REQUEUE_PRIVATE (FUTEX_CMP_REQUEUE | FUTEX_PRIVATE)

static long futex(unsigned *word, int operation, unsigned value, long count, unsigned *other) {
    return syscall(SYS_futex, word, operation, value, count, other, 0);
}

static void all(const char *what, unsigned *word, unsigned *good) {
    char name[64];
#define CHECK(label, call) snprintf(name, sizeof name, "%s: %s", what, label), result(name, call)
    CHECK("wake", futex(word, FUTEX_WAKE, 1, 0, NULL));
    CHECK("private wake", futex(word, FUTEX_WAKE_PRIVATE, 1, 0, NULL));
    CHECK("requeue from", futex(word, FUTEX_CMP_REQUEUE, 1, 1, good));
    CHECK("requeue to", futex(good, FUTEX_CMP_REQUEUE, 1, 1, word));
    CHECK("private requeue from", futex(word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1, good));
}

int main(void) {
    unsigned *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned *good = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *page = 0, *good = 0;
    all("memory", page, good);
    must("mprotect", mprotect(page, 4096, PROT_READ));
    all("read-only memory", page, good);
    must("mprotect", mprotect(page, 4096, PROT_NONE));
    all("memory without access", page, good);
    must("munmap", munmap(page, 4096));
    all("no memory", page, good);
    return 0;
}
