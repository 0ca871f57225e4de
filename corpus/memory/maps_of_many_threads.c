/*
 * summary: threads that map, protect, grow and unmap memory at once never find another's bytes in their own
 * calls: mmap munmap mprotect mremap madvise
 */
#include "apus.h"
#include <pthread.h>
#include <sys/mman.h>

enum { threads = 4, rounds = 60, page = 4096 };
static int wrong;

static int filled(const char *memory, size_t size, char byte) {
    for (size_t i = 0; i < size; i += 512)
        if (memory[i] != byte) return 0;
    return memory[size - 1] == byte;
}

static void check(int holds) {
    if (!holds) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
}

static void *body(void *argument) {
    char mine = (char)(long)argument;
    for (int i = 0; i < rounds; i++) {
        size_t size = (1 + (size_t)(i + mine) % 7) * 4 * page;
        char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            check(0);
            continue;
        }
        check(filled(memory, size, 0));
        memset(memory, mine, size);
        /* A hole in the midst, at once somebody's place perhaps, and the rest of it stays. */
        check(munmap(memory + page, page) == 0);
        check(mprotect(memory, page, PROT_READ) == 0);
        check(filled(memory, page, mine) && filled(memory + 2 * page, size - 2 * page, mine));
        char *moved = mremap(memory + 2 * page, size - 2 * page, size + 8 * page, MREMAP_MAYMOVE);
        check(moved != MAP_FAILED);
        if (moved != MAP_FAILED) {
            check(filled(moved, size - 2 * page, mine) && filled(moved + size - 2 * page, 10 * page, 0));
            check(madvise(moved, page, MADV_DONTNEED) == 0);
            check(filled(moved, page, 0));
            check(munmap(moved, size + 8 * page) == 0);
        }
        check(munmap(memory, page) == 0);
    }
    return NULL;
}

int main(void) {
    pthread_t made[threads];
    for (long i = 0; i < threads; i++)
        if (pthread_create(&made[i], NULL, body, (void *)(i + 1))) return 99;
    for (int i = 0; i < threads; i++) pthread_join(made[i], NULL);
    number("wrong bytes and failures", wrong);
    return 0;
}
