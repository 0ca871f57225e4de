/*
 * summary: /dev/null and /dev/zero after very many reads and writes: results, bad buffers, modes, position, other numbers
 * calls: read write pread64 pwrite64 readv dup2 close
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/uio.h>

#define TIMES 40
#define PAGE 4096

static char data[3 * PAGE];

static void heat_writes(int fd) { for (int i = 0; i < TIMES; i++) if (write(fd, data, 1) < 0) return; }

int main(void) {
    int null = must("null", open("/dev/null", O_RDWR)), zero = must("zero", open("/dev/zero", O_RDWR));
    int reader = must("null", open("/dev/null", O_RDONLY)), writer = must("null", open("/dev/null", O_WRONLY));
    for (int i = 0; i < TIMES; i++)
        if (read(null, data, 1) < 0 || read(zero, data, 1) < 0 || read(reader, data, 1) < 0) return 1;
    heat_writes(null), heat_writes(zero), heat_writes(writer);
    memset(data, 'x', 64);
    struct iovec vector = {data, 8};
    result("read of null", read(null, data, 8));
    result("pread of null", pread(null, data, 8, 5));
    result("readv of null", readv(null, &vector, 1));
    result("read of null to nowhere", read(null, NOTHING, 8));
    result("read of null to the kernel", read(null, KERNEL_ADDRESS, 8));
    result("write to null", write(null, data, 8));
    result("write to null from nowhere", write(null, NOTHING, 8));
    result("write to null from the kernel", write(null, KERNEL_ADDRESS, 8));
    result("write to null of nothing", write(null, NOTHING, 0));
    bytes("nothing has come", data, 2);
    result("read of zero", read(zero, data, 3));
    bytes("got", data, 4);
    result("pread of zero", pread(zero, data + 4, 3, 7));
    bytes("got", data + 4, 4);
    result("readv of zero", readv(zero, &vector, 1));
    result("read of zero to nowhere", read(zero, NOTHING, 8));
    result("pread of zero before the beginning", pread(zero, data, 8, -1));
    result("write to zero", write(zero, data, 9));
    result("pwrite to zero", pwrite(zero, data, 9, 9));
    result("read of a writer", read(writer, data, 1));
    result("write to a reader", write(reader, data, 1));
    char text[8] = "", path[64];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", zero);
    int info = must("fdinfo", open(path, O_RDONLY));
    must("read", read(info, text, 7));
    fact("nothing moves the position of zero", strcmp(text, "pos:\t0\n") == 0);
    must("dup2", dup2(zero, null));
    result("read of null that is zero now", read(null, data, 8));
    close(null), close(zero), close(reader), close(writer), close(info);
    result("read of zero that is closed", read(zero, data, 8));
    result("write to null that is closed", write(writer, data, 8));
    return 0;
}
