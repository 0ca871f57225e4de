/*
 * summary: mapping a file counts as reading it, unless it was opened with O_NOATIME
 * calls: mmap munmap fstat utimensat
 * file: file 644 contents
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void map(const char *what, int flags) {
    struct timespec times[2] = {{1000, 0}, {2000, 0}};
    struct stat status;
    int fd = must("open", open("file", O_RDWR | flags));
    must("futimens", futimens(fd, times));
    void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    outcome(what, at == MAP_FAILED ? -1 : 0);
    must("fstat", fstat(fd, &status));
    fact("the time of access moved", status.st_atime > 2000);
    number("that of modification", status.st_mtime);
    must("munmap", munmap(at, 4096));
    close(fd);
}

int main(void) {
    map("mmap", 0);
    map("mmap of a file opened with O_NOATIME", O_NOATIME);
    return 0;
}
