/*
 * summary: a call whose buffer is partly unmapped or forbidden transfers what it can, or gives EFAULT
 * calls: read write readv writev pipe2 pread64 mprotect
 * file: digits 644 0123456789abcdefghij
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

int main(void) {
    int ends[2];
    char data[32] = "";
    char *area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *edge = area + 4096;
    must("munmap", munmap(edge, 4096));
    char *read_only = area + 2 * 4096, *write_only = area + 3 * 4096;
    must("mprotect", mprotect(read_only, 4096, PROT_READ));
    int fd = must("open", open("digits", O_RDWR)), null = must("open", open("/dev/null", O_RDWR));
    int zero = must("open", open("/dev/zero", O_RDONLY));
    must("pipe", pipe(ends));

    result("read to NULL", read(fd, NOTHING, 5));
    result("read of no bytes to NULL", read(fd, NOTHING, 0));
    result("the offset stayed", lseek(fd, 0, SEEK_CUR));
    result("read to read-only memory", read(fd, read_only, 5));
    result("read to a kernel address", read(fd, KERNEL_ADDRESS, 5));
    result("read to a non-canonical address", read(fd, (void *)0x8000000000000000ul, 5));
    result("read of too many bytes to a good address", syscall(SYS_read, fd, data, 1ul << 63));
    result("pread at the end to NULL", pread(fd, NOTHING, 5, 20));
    result("write from NULL", write(fd, NOTHING, 5));
    result("write from a kernel address", write(fd, KERNEL_ADDRESS, 5));
    result("write of no bytes from NULL", write(fd, NOTHING, 0));
    result("write to /dev/null from NULL", write(null, NOTHING, 5));
    result("read of /dev/zero to NULL", read(zero, NOTHING, 5));
    result("read of /dev/zero across an edge", read(zero, edge - 3, 10));
    result("read from the pipe's empty end to NULL, no bytes", read(ends[0], NOTHING, 0));
    result("write to a pipe from NULL", write(ends[1], NOTHING, 5));
    must("write", write(ends[1], "pipe!", 5));
    result("read of a pipe to NULL", read(ends[0], NOTHING, 5));
    result("the bytes are still there", read(ends[0], data, 32));

    struct iovec vector[3] = {{data, 4}, {WILD, 4}, {data + 8, 4}};
    result("readv whose second part is wild", readv(fd, vector, 3));
    result("the offset", lseek(fd, 0, SEEK_SET));
    vector[0].iov_len = 0;
    result("readv whose first part is wild", readv(fd, vector, 3));
    vector[1].iov_base = KERNEL_ADDRESS;
    result("readv with a kernel address", readv(fd, vector, 3));
    vector[1].iov_len = 1ul << 63;
    result("readv with a negative length", readv(fd, vector, 3));
    result("a wild vector", readv(fd, WILD, 1));
    result("a wild vector of no parts", readv(fd, WILD, 0));
    result("1,025 parts", syscall(SYS_readv, fd, vector, 1025));
    result("-1 parts", syscall(SYS_readv, fd, vector, -1));
    must("mprotect", mprotect(write_only, 4096, PROT_NONE));
    result("write from PROT_NONE", write(ends[1], write_only, 4));
    result("pipe to a wild pointer", pipe(WILD));
    int next = must("dup", dup(0));
    must("close", close(next));
    result("pipe to read-only memory", pipe((int *)read_only));
    fact("it left no descriptors open", dup(0) == next);
    return 0;
}
