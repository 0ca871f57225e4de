/*
 * summary: what mmap, munmap and mprotect refuse, and with which errno
 * calls: mmap munmap mprotect
 * file: readable 644 some text
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

static void map(const char *what, void *address, size_t length, int protection, int flags, int fd, long offset) {
    void *page = (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
    outcome(what, page == MAP_FAILED ? -1 : 0);
}

int main(void) {
    int reader = must("open", open("readable", O_RDONLY)), writer = must("open", open("readable", O_WRONLY));
    int directory = must("open", open(".", O_RDONLY)), path = must("open", open("readable", O_PATH)), pipes[2];
    must("pipe", pipe(pipes));
    int anonymous = MAP_PRIVATE | MAP_ANONYMOUS, both = PROT_READ | PROT_WRITE;
    char *page = mmap(NULL, 4 * 4096, both, anonymous, -1, 0);

    map("a page", NULL, 4096, both, anonymous, -1, 0);
    map("one byte", NULL, 1, both, anonymous, -1, 0);
    map("no bytes", NULL, 0, both, anonymous, -1, 0);
    map("neither shared nor private", NULL, 4096, both, MAP_ANONYMOUS, -1, 0);
    map("the whole address space", NULL, ~0ul, both, anonymous, -1, 0);
    map("2^47 bytes", NULL, 1ul << 47, PROT_NONE, anonymous | MAP_NORESERVE, -1, 0);
    map("fixed at an odd address", page + 1, 4096, both, anonymous | MAP_FIXED, -1, 0);
    map("an odd address as a hint", page + 1, 4096, both, anonymous, -1, 0);
    map("fixed in the kernel's half", KERNEL_ADDRESS, 4096, both, anonymous | MAP_FIXED, -1, 0);
    map("a hint in the kernel's half", KERNEL_ADDRESS, 4096, both, anonymous, -1, 0);
    map("fixed, wrapping around", (void *)~0xffful, 8192, both, anonymous | MAP_FIXED, -1, 0);
    map("MAP_FIXED_NOREPLACE over a mapping", page, 4096, both, anonymous | 0x100000, -1, 0);
    map("an anonymous one with a descriptor", NULL, 4096, both, anonymous, 99, 0);
    map("an odd offset", NULL, 4096, PROT_READ, MAP_PRIVATE, reader, 100);
    map("a closed descriptor", NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0);
    map("a closed descriptor and no bytes", NULL, 0, PROT_READ, MAP_PRIVATE, 99, 0);
    map("a directory", NULL, 4096, PROT_READ, MAP_PRIVATE, directory, 0);
    map("a pipe", NULL, 4096, PROT_READ, MAP_PRIVATE, pipes[0], 0);
    map("an O_PATH descriptor", NULL, 4096, PROT_READ, MAP_PRIVATE, path, 0);
    map("a write-only file, to read", NULL, 4096, PROT_READ, MAP_SHARED, writer, 0);
    map("a write-only file, privately", NULL, 4096, PROT_WRITE, MAP_PRIVATE, writer, 0);
    map("a read-only file, shared, to write", NULL, 4096, both, MAP_SHARED, reader, 0);
    map("a read-only file, privately, to write", NULL, 4096, both, MAP_PRIVATE, reader, 0);
    map("an offset beyond the end", NULL, 4096, PROT_READ, MAP_PRIVATE, reader, 1 << 20);
    map("an offset and length that overflow", NULL, 8192, PROT_READ, MAP_PRIVATE, reader, ~0xffful);
    map("MAP_SHARED_VALIDATE with an unknown flag", NULL, 4096, PROT_READ, 3 | 0x400000, reader, 0);

    char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, reader, 0);
    result("mprotect: writing a shared mapping of a read-only file", mprotect(shared, 4096, both));
    result("mprotect of an odd address", syscall(SYS_mprotect, page + 1, 4096, both));
    result("of no bytes", mprotect(page, 0, PROT_NONE));
    result("an unknown protection", mprotect(page, 4096, 0x80));
    result("that wraps around", mprotect(page, ~0ul - 8191, both));
    must("munmap", munmap(page + 4096, 4096));
    result("over a hole", mprotect(page, 4 * 4096, PROT_READ));
    result("of an unmapped page", mprotect(page + 4096, 4096, PROT_READ));
    result("munmap of an odd address", munmap(page + 1, 4096));
    result("of no bytes", munmap(page, 0));
    result("of a hole", munmap(page + 4096, 4096));
    result("of an odd length", munmap(page, 1));
    result("of the kernel's half", munmap(KERNEL_ADDRESS, 4096));
    result("beyond the user's half", munmap(page, 1ul << 62));
    return 0;
}
