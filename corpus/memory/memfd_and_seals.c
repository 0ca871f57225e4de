/*
 * summary: memory files: size, offsets, mappings, reopening, and what each seal forbids
 * calls: memfd_create fcntl ftruncate write mmap fallocate
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define ADD_SEALS 1033
#define GET_SEALS 1034
#define SEAL 1
#define SHRINK 2
#define GROW 4
#define WRITE 8
#define FUTURE_WRITE 16

static long create(const char *name, unsigned flags) { return syscall(SYS_memfd_create, name, flags); }

static void map(const char *what, int fd, int protection, int flags) {
    outcome(what, mmap(NULL, 4096, protection, flags, fd, 0) == MAP_FAILED ? -1 : 0);
}

int main(void) {
    char data[16], path[64], target[64] = "";
    struct stat status;
    int both = PROT_READ | PROT_WRITE;
    int fd = must("memfd_create", create("a name", 1 | 2));
    result("close-on-exec", fcntl(fd, F_GETFD));
    must("fstat", fstat(fd, &status));
    line("size %d, regular %d, links %d", (int)status.st_size, S_ISREG(status.st_mode), (int)status.st_nlink);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    must("readlink", readlink(path, target, sizeof target - 1));
    text("its link", target);
    result("write", write(fd, "hello", 5));
    result("pread", pread(fd, data, 16, 1));
    result("ftruncate", ftruncate(fd, 8192));
    int again = must("open", open(path, O_RDONLY));
    result("reopened read-only, read", read(again, data, 5));
    bytes("contents", data, 5);
    result("write there", write(again, "x", 1));
    number("no seals", fcntl(fd, GET_SEALS));

    result("GROW", fcntl(fd, ADD_SEALS, GROW));
    result("ftruncate larger", ftruncate(fd, 8193));
    result("write at the end", pwrite(fd, "x", 1, 8192));
    result("write across the end", pwrite(fd, "xyz", 3, 8191));
    result("write inside", pwrite(fd, "x", 1, 0));
    result("fallocate beyond the end", fallocate(fd, 0, 8192, 10));
    result("ftruncate smaller", ftruncate(fd, 4096));
    result("SHRINK", fcntl(fd, ADD_SEALS, SHRINK));
    result("ftruncate smaller", ftruncate(fd, 100));
    number("the seals", fcntl(fd, GET_SEALS));

    char *shared = mmap(NULL, 4096, both, MAP_SHARED, fd, 0);
    result("WRITE while it is mapped for writing", fcntl(fd, ADD_SEALS, WRITE));
    result("FUTURE_WRITE", fcntl(fd, ADD_SEALS, FUTURE_WRITE));
    shared[0] = 'J';
    result("write after FUTURE_WRITE", write(fd, "x", 1));
    must("pread", pread(fd, data, 5, 0));
    bytes("the old mapping still writes", data, 5);
    map("a new one for writing", fd, both, MAP_SHARED);
    must("munmap", munmap(shared, 4096));
    result("WRITE when it is not", fcntl(fd, ADD_SEALS, WRITE));
    result("write", write(fd, "x", 1));
    map("shared for writing", fd, both, MAP_SHARED);
    map("shared for reading", fd, PROT_READ, MAP_SHARED);
    map("private for writing", fd, both, MAP_PRIVATE);
    result("punch a hole", fallocate(fd, 3, 0, 4096));
    result("SEAL", fcntl(fd, ADD_SEALS, SEAL));
    result("one more", fcntl(fd, ADD_SEALS, GROW));
    number("the seals", fcntl(fd, GET_SEALS));

    int plain = must("memfd_create", create("", 0));
    result("without sealing allowed", fcntl(plain, ADD_SEALS, GROW));
    number("its seals", fcntl(plain, GET_SEALS));
    int pipes[2], sealable = must("memfd_create", create("s", 2));
    result("an unknown seal", fcntl(sealable, ADD_SEALS, 0x1000));
    result("of a read-only descriptor", fcntl(again, ADD_SEALS, GROW));
    must("pipe", pipe(pipes));
    result("of a pipe", fcntl(pipes[0], GET_SEALS));
    char name[260];
    memset(name, 'n', sizeof name);
    name[250] = 0;
    result("a name of 250 bytes", create(name, 0));
    name[249] = 0;
    outcome("a name of 249 bytes", create(name, 0));
    result("an unknown flag", create("x", 0x100));
    result("a wild name", create(WILD, 0));
    return 0;
}
