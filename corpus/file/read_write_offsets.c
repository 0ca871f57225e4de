/*
 * summary: read, write, pread, pwrite and their vectors: short counts, offsets, ends, modes and errnos
 * calls: read write pread64 pwrite64 readv writev preadv pwritev lseek preadv2
 * file: digits 644 0123456789
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/uio.h>

int main(void) {
    char data[32] = "", more[8] = "";
    int ends[2];
    int fd = must("open", open("digits", O_RDWR)), reader = must("open", open("digits", O_RDONLY));
    int writer = must("open", open("digits", O_WRONLY)), directory = must("open", open(".", O_RDONLY));
    must("pipe", pipe(ends));

    result("read 4", read(fd, data, 4));
    result("read 20", read(fd, data, 20));
    bytes("got", data, 6);
    result("read at the end", read(fd, data, 1));
    result("pread past the end", pread(fd, data, 1, 100));
    result("pread 3 at 2", pread(fd, data, 3, 2));
    bytes("got", data, 3);
    result("the offset stayed", lseek(fd, 0, SEEK_CUR));
    result("pread at -1", pread(fd, data, 1, -1));
    result("pread of a pipe", pread(ends[0], data, 1, 0));
    result("pwrite to a pipe", pwrite(ends[1], data, 1, 0));
    result("pwrite 2 at 15", pwrite(fd, "ab", 2, 15));
    result("read from 10", read(fd, data, 32));
    bytes("the gap is zero", data, 7);
    result("read of a write-only descriptor", read(writer, data, 1));
    result("write to a read-only descriptor", write(reader, "x", 1));
    result("write of nothing to it", write(reader, "x", 0));
    result("read of a directory", read(directory, data, 1));
    result("read of a closed descriptor", read(99, data, 1));
    result("read of -1", read(-1, data, 0));

    struct iovec vector[3] = {{data, 3}, {more, 0}, {more, 4}};
    result("lseek to 1", lseek(fd, 1, SEEK_SET));
    result("readv", readv(fd, vector, 3));
    bytes("first", data, 3);
    bytes("third", more, 4);
    result("the offset", lseek(fd, 0, SEEK_CUR));
    result("preadv at 4", preadv(fd, vector, 3, 4));
    bytes("first", data, 3);
    result("preadv at -1", preadv(fd, vector, 3, -1));
    result("pwritev at 20", pwritev(fd, vector, 3, 20));
    result("writev at the offset", writev(fd, vector, 1));
    result("the offset", lseek(fd, 0, SEEK_CUR));
    result("the size", lseek(fd, 0, SEEK_END));
    result("readv of no parts", readv(fd, vector, 0));
    result("preadv2 with offset -1 uses the file's", syscall(SYS_preadv2, fd, vector, 1, -1l, -1l, 0));
    result("preadv2 with an unknown flag", syscall(SYS_preadv2, fd, vector, 1, 0l, 0l, 0x40000000));
    result("pwritev2 RWF_APPEND at 0", syscall(SYS_pwritev2, fd, vector, 1, 0l, 0l, 0x10));
    result("the size", lseek(fd, 0, SEEK_END));

    result("lseek to -1", lseek(fd, -1, SEEK_SET));
    result("lseek before the start", lseek(fd, -100, SEEK_CUR));
    result("lseek far beyond the end", lseek(fd, 1l << 40, SEEK_SET));
    result("read there", read(fd, data, 1));
    result("lseek that overflows", lseek(fd, 0x7fffffffffffffff, SEEK_CUR));
    result("lseek with an unknown whence", lseek(fd, 0, 77));
    result("lseek of a pipe", lseek(ends[0], 0, SEEK_CUR));
    result("lseek of a closed descriptor", lseek(99, 0, SEEK_CUR));
    result("lseek of a directory", lseek(directory, 0, SEEK_SET));
    return 0;
}
