/*
 * summary: a pipe holds 64 KiB in pages, can be resized, and says EAGAIN instead of waiting
 * calls: pipe2 fcntl write read ioctl
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/ioctl.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

static char data[300000];

int main(void) {
    int ends[2], waiting;
    result("pipe2 with an unknown flag", pipe2(ends, 0x1));
    must("pipe2", pipe2(ends, O_NONBLOCK | O_CLOEXEC));
    line("close-on-exec %d, %d, non-blocking %d", fcntl(ends[0], F_GETFD), fcntl(ends[1], F_GETFD),
         (fcntl(ends[0], F_GETFL) & O_NONBLOCK) != 0);
    result("read of an empty one", read(ends[0], data, 1));
    result("capacity", fcntl(ends[0], F_GETPIPE_SZ));
    result("write of 300,000 bytes", write(ends[1], data, sizeof data));
    result("one more", write(ends[1], data, 1));
    must("ioctl", ioctl(ends[0], FIONREAD, &waiting));
    number("FIONREAD", waiting);
    result("shrinking a full one", fcntl(ends[0], F_SETPIPE_SZ, 4096));
    result("growing it", fcntl(ends[1], F_SETPIPE_SZ, 100000));
    result("now there is room", write(ends[1], data, sizeof data));
    result("read of everything", read(ends[0], data, sizeof data));
    result("shrinking an empty one", fcntl(ends[0], F_SETPIPE_SZ, 1));
    result("write of 5,000 bytes", write(ends[1], data, 5000));
    result("read 1,000", read(ends[0], data, 1000));
    result("a page must be free for 4,096 atomic bytes", write(ends[1], data, 4096));
    result("read the rest", read(ends[0], data, 5000));
    result("now", write(ends[1], data, 4096));
    result("a size of 0", fcntl(ends[0], F_SETPIPE_SZ, 0));
    result("far too large", fcntl(ends[0], F_SETPIPE_SZ, -1));
    result("of a file", fcntl(must("open", open("file", O_RDWR | O_CREAT, 0600)), F_GETPIPE_SZ));

    must("close", close(ends[0]));
    must("close", close(ends[1]));
    must("pipe2", pipe2(ends, O_NONBLOCK));
    int small = 0;
    while (write(ends[1], "x", 1) == 1) small++;
    number("single bytes are merged into pages, so many fit", small);
    must("read", read(ends[0], data, 4095));
    result("4,095 bytes read leave no page free", write(ends[1], data, 2));
    must("read", read(ends[0], data, 1));
    result("one more does", write(ends[1], data, 4096));
    must("fcntl", fcntl(ends[0], F_SETFL, 0));
    result("non-blocking is per end", write(ends[1], data, 1));

    must("pipe2", pipe2(ends, O_DIRECT | O_NONBLOCK));
    must("write", write(ends[1], "first", 5));
    must("write", write(ends[1], "second", 6));
    result("O_DIRECT: a packet", read(ends[0], data, 100));
    result("a packet cut short", read(ends[0], data, 3));
    result("its rest is gone", read(ends[0], data, 100));
    result("a write of more than a page", write(ends[1], data, 5000));
    result("comes as two packets", read(ends[0], data, 10000));
    result("the second", read(ends[0], data, 10000));
    return 0;
}
