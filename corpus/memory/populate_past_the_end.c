/*
 * summary: MAP_POPULATE makes present what there is, and succeeds past the end of a file; files do not grow downwards
 * calls: mmap mincore mlock madvise
 * file: file 644 contents
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

#define PAGE 4096l

static char *map(const char *what, int fd, long length, int flags, long offset) {
    void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, offset);
    outcome(what, at == MAP_FAILED ? -1 : 0);
    return at == MAP_FAILED ? NULL : at;
}

int main(void) {
    int fd = must("open", open("file", O_RDWR));
    char *at = map("a private file, past its end", fd, 4 * PAGE, MAP_PRIVATE | MAP_POPULATE, 0);
    if (at != NULL) line("'%.8s'", at);
    at = map("a shared file, past its end", fd, 4 * PAGE, MAP_SHARED | MAP_POPULATE, 0);
    if (at != NULL) line("'%.8s'", at);
    map("all of it behind the end", fd, PAGE, MAP_PRIVATE | MAP_POPULATE, 4 * PAGE);
    map("locked, past its end", fd, 4 * PAGE, MAP_PRIVATE | MAP_LOCKED, 0);
    if (at != NULL) {
        result("mlock past the end", mlock(at, 4 * PAGE));
        result("MADV_WILLNEED past the end", madvise(at, 4 * PAGE, MADV_WILLNEED));
    }
    void *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    result("mlock of what is not accessible", mlock(none, PAGE));
    char *mixed = map("a file, locked together with that", fd, 4 * PAGE, MAP_PRIVATE, 0);
    must("mprotect", mprotect(mixed + PAGE, PAGE, PROT_NONE));
    result("mlock of both", mlock(mixed, 4 * PAGE));
    must("munlock", munlock(mixed, 4 * PAGE));
    char *split = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must("munmap", munmap(split + PAGE, PAGE));
    result("mlock across a hole", mlock(split, 3 * PAGE));
    result("before it there is a lock", msync(split, PAGE, MS_INVALIDATE));
    result("after it there is none", msync(split + 2 * PAGE, PAGE, MS_INVALIDATE));
    at = map("memory", -1, 4 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, 0);
    unsigned char vector[4] = {0};
    result("mincore", mincore(at, 4 * PAGE, vector));
    line("present: %d%d%d%d", vector[0] & 1, vector[1] & 1, vector[2] & 1, vector[3] & 1);
    map("growing down, private", -1, PAGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, 0);
    map("growing down, shared", -1, PAGE, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, 0);
    map("growing down, a private file", fd, PAGE, MAP_PRIVATE | MAP_GROWSDOWN, 0);
    map("growing down, a shared file", fd, PAGE, MAP_SHARED | MAP_GROWSDOWN, 0);
    return 0;
}
