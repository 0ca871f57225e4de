/*
 * summary: truncation and fallocate change size and holes; SEEK_HOLE and SEEK_DATA find them
 * calls: ftruncate truncate fallocate lseek fstat
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/stat.h>

#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

static int fd;

static long size(void) {
    struct stat status;
    must("fstat", fstat(fd, &status));
    return status.st_size;
}

int main(void) {
    char data[8];
    int ends[2];
    must("pipe", pipe(ends));
    fd = must("open", open("file", O_RDWR | O_CREAT, 0644));
    int reader = must("open", open("file", O_RDONLY));
    must("write", write(fd, "0123456789", 10));
    result("shrink to 4", ftruncate(fd, 4));
    result("the offset stays", lseek(fd, 0, SEEK_CUR));
    result("grow to 12", ftruncate(fd, 12));
    must("pread", pread(fd, data, 8, 4));
    bytes("what was cut is zero", data, 8);
    result("write at the old offset", write(fd, "W", 1));
    number("size", size());
    result("ftruncate to -1", ftruncate(fd, -1));
    result("of a read-only descriptor", ftruncate(reader, 0));
    result("of a pipe", ftruncate(ends[1], 0));
    result("of a closed descriptor", ftruncate(99, 0));
    result("truncate by path", truncate("file", 3));
    result("missing", truncate("missing", 3));
    result("a directory", truncate(".", 3));
    result("to -1", truncate("file", -1));
    result("a wild path", truncate(WILD, 3));

    must("ftruncate", ftruncate(fd, 0));
    must("ftruncate", ftruncate(fd, 1 << 20));
    must("pwrite", pwrite(fd, "data", 4, 512 << 10));
    result("the first data", lseek(fd, 0, SEEK_DATA));
    result("the hole behind it", lseek(fd, 512 << 10, SEEK_HOLE));
    result("the first hole", lseek(fd, 0, SEEK_HOLE));
    result("data behind the last", lseek(fd, 600 << 10, SEEK_DATA));
    result("a hole at the end", lseek(fd, 1 << 20, SEEK_HOLE));
    result("the last byte is in a hole", lseek(fd, (1 << 20) - 1, SEEK_HOLE));
    result("data at -1", lseek(fd, -1, SEEK_DATA));

    result("fallocate keeps contents", fallocate(fd, 0, 0, 2 << 20));
    number("size", size());
    result("keep size", fallocate(fd, 1, 0, 3 << 20));
    number("size", size());
    result("punch a hole without keep size", fallocate(fd, 2, 0, 4096));
    result("punch a hole over the data", fallocate(fd, 3, 512 << 10, 4096));
    must("pread", pread(fd, data, 4, 512 << 10));
    bytes("it reads as", data, 4);
    result("no length", fallocate(fd, 0, 0, 0));
    result("a negative offset", fallocate(fd, 0, -1, 10));
    result("a negative length", fallocate(fd, 0, 0, -10));
    result("that overflows", fallocate(fd, 0, 0x7fffffffffffffff, 10));
    result("of a pipe", fallocate(ends[1], 0, 0, 10));
    result("of a read-only descriptor", fallocate(reader, 0, 0, 10));
    result("an unknown mode", fallocate(fd, 0x4000, 0, 10));
    returned("posix_fallocate", posix_fallocate(fd, 0, 100));
    return 0;
}
