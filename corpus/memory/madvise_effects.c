/*
 * summary: madvise's visible effects: DONTNEED zeroes or rereads, DONTFORK and WIPEONFORK change what a child sees
 * calls: madvise fork mmap
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

static char *area, *forked, *wiped, *kept;

static void child(void) {
    unsigned char state;
    result("DONTFORK: the page is not there", mincore(forked, 4096, &state));
    number("WIPEONFORK: the page is zero", wiped[0]);
    line("DOFORK again: %c", kept[0]);
}

static char *fresh(int flags, int fd) {
    char *page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, flags, fd, 0);
    must("mmap", page == MAP_FAILED ? -1 : 0);
    return page;
}

int main(void) {
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0600));
    must("ftruncate", ftruncate(fd, 8192));
    must("pwrite", pwrite(fd, "file", 4, 0));
    area = fresh(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    strcpy(area, "data");
    strcpy(area + 4096, "more");
    result("MADV_DONTNEED of anonymous memory", madvise(area, 4096, MADV_DONTNEED));
    line("first byte %d, the next page %c", area[0], area[4096]);
    char *private = fresh(MAP_PRIVATE, fd);
    strcpy(private, "mine");
    result("MADV_DONTNEED of a private file mapping", madvise(private, 8192, MADV_DONTNEED));
    bytes("the file is read again", private, 4);
    char *shared = fresh(MAP_SHARED, fd);
    strcpy(shared, "both");
    result("MADV_DONTNEED of a shared file mapping", madvise(shared, 8192, MADV_DONTNEED));
    bytes("nothing is lost", shared, 4);
    char *shared_memory = fresh(MAP_SHARED | MAP_ANONYMOUS, -1);
    strcpy(shared_memory, "kept");
    result("MADV_DONTNEED of shared anonymous memory", madvise(shared_memory, 4096, MADV_DONTNEED));
    bytes("nothing is lost", shared_memory, 4);
    result("MADV_REMOVE of it", madvise(shared_memory, 4096, MADV_REMOVE));
    number("punches a hole", shared_memory[0]);
    result("MADV_REMOVE of private memory", madvise(area, 4096, MADV_REMOVE));

    forked = fresh(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    wiped = fresh(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    kept = fresh(MAP_PRIVATE | MAP_ANONYMOUS, -1);
    forked[0] = wiped[0] = kept[0] = 'p';
    result("MADV_DONTFORK", madvise(forked, 8192, MADV_DONTFORK));
    result("MADV_WIPEONFORK", madvise(wiped, 8192, 18));
    result("MADV_WIPEONFORK of a shared mapping", madvise(shared_memory, 4096, 18));
    must("madvise", madvise(kept, 8192, MADV_DONTFORK));
    result("MADV_DOFORK", madvise(kept, 8192, MADV_DOFORK));
    wait_status("the child", in_child(child));
    line("the parent still has %c and %c", forked[0], wiped[0]);

    static const int hints[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL};
    for (size_t i = 0; i < COUNT(hints); i++) result("a hint", madvise(area, 8192, hints[i]));
    result("MADV_FREE of a file mapping", madvise(private, 4096, 8));
    result("an unknown advice", madvise(area, 4096, 9999));
    result("an odd address", madvise(area + 1, 4096, MADV_DONTNEED));
    result("no bytes", madvise(area, 0, MADV_DONTNEED));
    result("a length that wraps", madvise(area, ~0ul - 100, MADV_DONTNEED));
    must("munmap", munmap(area + 4096, 4096));
    strcpy(area, "data");
    result("MADV_DONTNEED over a hole", madvise(area, 8192, MADV_DONTNEED));
    number("the mapped part was done", area[0]);
    return 0;
}
