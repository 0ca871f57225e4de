/*
 * summary: mremap shrinks, grows in place, moves, duplicates and refuses
 * calls: mremap mmap munmap mincore
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

#define DONTUNMAP 4

static int mapped(void *address) {
    unsigned char state;
    return mincore(address, 4096, &state) == 0;
}

static void refuse(const char *what, void *old, size_t old_size, size_t new_size, int flags, void *target) {
    void *got = mremap(old, old_size, new_size, flags, target);
    outcome(what, got == MAP_FAILED ? -1 : 0);
}

int main(void) {
    int both = PROT_READ | PROT_WRITE, anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    char *area = mmap(NULL, 64 * 4096, both, anonymous, -1, 0);
    must("munmap", munmap(area + 32 * 4096, 32 * 4096));
    for (int i = 0; i < 32; i++) area[i * 4096] = 'a' + i % 26;

    fact("shrinking stays in place", mremap(area, 32 * 4096, 8 * 4096, 0) == area);
    fact("the rest is unmapped", mapped(area + 7 * 4096) && !mapped(area + 8 * 4096));
    fact("growing in place", mremap(area, 8 * 4096, 16 * 4096, 0) == area);
    line("the old end %c, the new page %d", area[7 * 4096], area[8 * 4096]);
    void *wall = mmap(area + 16 * 4096, 4096, both, anonymous | MAP_FIXED, -1, 0);
    refuse("growing against a wall", area, 16 * 4096, 17 * 4096, 0, NULL);
    char *moved = mremap(area, 16 * 4096, 24 * 4096, MREMAP_MAYMOVE);
    fact("it may move", moved != MAP_FAILED && moved != area);
    line("its contents %c and %c came along", moved[0], moved[7 * 4096]);
    fact("the old place is unmapped", !mapped(area) && mapped(wall));

    char *target = mmap(NULL, 8 * 4096, both, anonymous, -1, 0);
    strcpy(target, "overwritten");
    char *fixed = mremap(moved, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    fact("MREMAP_FIXED goes where it is told", fixed == target);
    line("first byte %c, third page still %d", fixed[0], fixed[2 * 4096]);
    fact("only that part left its place", !mapped(moved + 4096) && mapped(moved + 2 * 4096));
    char *left_behind = mremap(target, 4096, 4096, MREMAP_MAYMOVE | DONTUNMAP, NULL);
    fact("MREMAP_DONTUNMAP leaves an empty mapping", left_behind != MAP_FAILED && mapped(target));
    line("moved %c, left %d", left_behind[0], target[0]);

    refuse("an odd address", target + 1, 4096, 8192, MREMAP_MAYMOVE, NULL);
    refuse("a new size of 0", target, 4096, 0, MREMAP_MAYMOVE, NULL);
    refuse("an old size of 0 of private memory", target, 0, 4096, MREMAP_MAYMOVE, NULL);
    refuse("an unmapped place", area, 4096, 8192, MREMAP_MAYMOVE, NULL);
    refuse("an unknown flag", target, 4096, 8192, 16, NULL);
    refuse("fixed without may-move", target, 4096, 4096, MREMAP_FIXED, area);
    refuse("fixed at an odd address", target, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, area + 1);
    refuse("fixed, overlapping", target, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, target + 4096);
    refuse("a size beyond the mapping", target, 64 * 4096, 65 * 4096, MREMAP_MAYMOVE, NULL);
    refuse("far too large", target, 4096, 1ul << 47, MREMAP_MAYMOVE, NULL);

    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    must("ftruncate", ftruncate(fd, 8192));
    char *shared = mmap(NULL, 4096, both, MAP_SHARED, fd, 0);
    strcpy(shared, "first page");
    must("pwrite", pwrite(fd, "second page", 11, 4096));
    char *copy = mremap(shared, 0, 4096, MREMAP_MAYMOVE);
    fact("an old size of 0 of shared memory duplicates it", copy != MAP_FAILED && copy != shared);
    copy[0] = 'F';
    bytes("both see it", shared, 10);
    char *grown = mremap(shared, 4096, 8192, MREMAP_MAYMOVE);
    bytes("a file mapping grows into the file", grown + 4096, 11);
    return 0;
}
