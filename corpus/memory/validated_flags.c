/*
 * summary: MAP_SHARED_VALIDATE refuses what a file does not know, and /dev/zero keeps to how it was opened
 * calls: mmap mprotect munmap
 * file: file 644 contents
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static void *try(const char *what, int protection, int flags, int fd) {
    void *at = mmap(NULL, 4096, protection, flags, fd, 0);
    outcome(what, at == MAP_FAILED ? -1 : 0);
    return at == MAP_FAILED ? NULL : at;
}

int main(void) {
    int both = PROT_READ | PROT_WRITE;
    int fd = must("open", open("file", O_RDWR));
    try("validated", both, MAP_SHARED_VALIDATE, fd);
    try("with MAP_SYNC, of a file on no persistent memory", both, MAP_SHARED_VALIDATE | MAP_SYNC, fd);
    try("with an unknown flag", both, MAP_SHARED_VALIDATE | 0x200000, fd);
    try("an unknown flag without validation", both, MAP_SHARED | 0x200000, fd);
    try("with MAP_FIXED_NOREPLACE", both, MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, fd);
    try("with MAP_NORESERVE and MAP_POPULATE", both, MAP_SHARED_VALIDATE | MAP_NORESERVE | MAP_POPULATE, fd);
    try("without a file", both, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1);
    try("of no type", both, MAP_ANONYMOUS, -1);

    int reading = must("open", open("/dev/zero", O_RDONLY));
    int writing = must("open", open("/dev/zero", O_RDWR));
    try("zeros to read, for writing", both, MAP_SHARED, reading);
    void *at = try("zeros to read, shared", PROT_READ, MAP_SHARED, reading);
    result("mprotect for writing", mprotect(at, 4096, both));
    result("mprotect for reading", mprotect(at, 4096, PROT_READ));
    at = try("zeros to read, private", PROT_READ, MAP_PRIVATE, reading);
    result("mprotect for writing", mprotect(at, 4096, both));
    at = try("zeros to read and write, shared", PROT_READ, MAP_SHARED, writing);
    result("mprotect for writing", mprotect(at, 4096, both));
    return 0;
}
