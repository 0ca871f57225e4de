/*
 * summary: eventfd adds and takes, one at a time as a semaphore, overflows with EAGAIN, wakes readers and writers
 * calls: eventfd2 read write poll fork
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>

static long put(int fd, uint64_t value) { return write(fd, &value, 8); }

static long take(int fd, uint64_t *value) { return read(fd, value, 8); }

static void ready(const char *what, int fd) {
    struct pollfd watched = {.fd = fd, .events = POLLIN | POLLOUT};
    must("poll", poll(&watched, 1, 0));
    line("%s: in %d, out %d, error %d", what, !!(watched.revents & POLLIN), !!(watched.revents & POLLOUT),
         !!(watched.revents & POLLERR));
}

int main(void) {
    uint64_t value = 0;
    char data[16];
    int fd = must("eventfd", eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC));
    result("close-on-exec", fcntl(fd, F_GETFD));
    result("read", take(fd, &value));
    number("value", value);
    result("read at 0", take(fd, &value));
    ready("at 0", fd);
    must("write", put(fd, 3));
    must("write", put(fd, 4));
    ready("at 7", fd);
    must("read", read(fd, data, 16));
    memcpy(&value, data, 8);
    number("writes add up", value);
    result("write of 0", put(fd, 0));
    result("which makes nothing readable", take(fd, &value));
    result("write of the largest", put(fd, 0xfffffffffffffffe));
    ready("at the largest", fd);
    result("one more", put(fd, 1));
    result("write of all ones", put(fd, ~0ull));
    result("read", take(fd, &value));
    fact("the largest", value == 0xfffffffffffffffe);
    result("a read of 7 bytes", read(fd, data, 7));
    result("a write of 7 bytes", write(fd, data, 7));
    must("write", put(fd, 1));
    result("a read to a wild buffer", read(fd, WILD, 8));
    result("pread", pread(fd, data, 8, 0));

    int semaphore = must("eventfd", eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
    for (int i = 0; i < 4; i++) {
        value = 99;
        result("as a semaphore", take(semaphore, &value));
    }
    result("an unknown flag", eventfd(0, 2));

    int blocking = must("eventfd", eventfd(0, 0)), back = must("eventfd", eventfd(0, 0));
    pid_t child = must("fork", fork());
    if (child == 0) {
        uint64_t sum = 0;
        while (sum < 100) {
            must("read", take(blocking, &value));
            sum += value;
        }
        must("write", put(back, sum));
        _exit(0);
    }
    for (int i = 0; i < 100; i++) must("write", put(blocking, 1));
    must("read", take(back, &value));
    number("a child summed up", value);
    wait_for(child);
    must("write", put(blocking, 0xfffffffffffffffe));
    child = must("fork", fork());
    if (child == 0) {
        must("read", take(blocking, &value));
        _exit(value == 0xfffffffffffffffe ? 0 : 1);
    }
    result("a full one makes the writer wait", put(blocking, 2));
    wait_status("for the reader", wait_for(child));
    must("read", take(blocking, &value));
    number("then it writes", value);
    return 0;
}
