/*
 * summary: offsets, times and counts at the ends of their types: an errno, and the kernel lives
 * calls: select splice lseek ioctl write pwrite64 preadv readv writev futex_requeue timerfd_settime nanosleep
 */
#include "apus.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

static void times(int end) {
    struct timeval longest = {INT64_MAX, 1000000};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(end, &set);
    result("select with more seconds than there are", syscall(SYS_select, end + 1, NULL, &set, NULL, &longest));
    struct timeval late = {INT64_MAX, 999999};
    result("select with as many", syscall(SYS_select, end + 1, NULL, &set, NULL, &late));
    struct timespec most = {INT64_MAX, 999999999};
    struct pollfd entry = {end, POLLOUT, 0};
    result("ppoll with as many", syscall(SYS_ppoll, &entry, 1, &most, NULL, 8));
    struct timespec wrong = {INT64_MIN, INT64_MIN};
    result("nanosleep before all time", nanosleep(&wrong, NULL));
    int timer = must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    struct itimerspec setting = {{INT64_MAX, 999999999}, {INT64_MAX, 999999999}}, old;
    result("timerfd_settime to the end of time", timerfd_settime(timer, 0, &setting, NULL));
    result("timerfd_settime at the end of time", timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, NULL));
    result("timerfd_gettime", timerfd_gettime(timer, &old));
    uint64_t ticks;
    result("its ticks", read(timer, &ticks, 8));
}

static void offsets(int pipe_end, int pipe_start) {
    static char buffer[16];
    int zero = must("open", open("/dev/zero", O_RDWR)), sink = must("open", open("/dev/null", O_RDWR));
    int file = must("open", open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    int64_t offset = INT64_MAX;
    result("splice from the last offset", splice(zero, &offset, pipe_end, NULL, 10, SPLICE_F_NONBLOCK));
    must("write", write(pipe_end, "hello", 5));
    result("splice to the last offset", splice(pipe_start, NULL, sink, &offset, 5, SPLICE_F_NONBLOCK));
    result("splice to a file's last offset", splice(pipe_start, NULL, file, &offset, 5, SPLICE_F_NONBLOCK));
    number("the offset", offset == INT64_MAX);
    result("pread at the last offset", pread(zero, buffer, 16, INT64_MAX));
    result("pwrite at the last offset", pwrite(file, buffer, 16, INT64_MAX - 15));
    result("lseek beyond", lseek(file, INT64_MAX, SEEK_END));
    result("ftruncate to the last offset", ftruncate(file, INT64_MAX));
    struct iovec huge[3] = {{buffer, 16}, {buffer, SIZE_MAX / 2}, {buffer, SIZE_MAX / 2}};
    result("readv of more than there is memory", readv(file, huge, 3));
    struct iovec many[1025];
    for (int i = 0; i < 1025; i++) many[i] = (struct iovec){buffer, 1};
    result("writev of 1025 pieces", writev(sink, many, 1025));
    result("writev of 1024 pieces", writev(sink, many, 1024));
}

static void memory_as_a_file(void) {
    int memory = must("open", open("/proc/self/mem", O_RDWR)), waiting = -1;
    char byte = 0;
    number("lseek to the lowest offset", lseek(memory, INT64_MIN, SEEK_SET) == INT64_MIN);
    result("FIONREAD there", ioctl(memory, FIONREAD, &waiting));
    number("bytes", waiting);
    result("read there", read(memory, &byte, 1));
    struct rlimit small = {1000, 1000};
    must("setrlimit", setrlimit(RLIMIT_FSIZE, &small));
    signal(SIGXFSZ, SIG_IGN);
    fact("write there fails", write(memory, &byte, 1) == -1);
}

/* The same futex twice in one wait: whoever moves the others must not move what is gone. */
static uint32_t words[2];

static struct { uint64_t value, address; uint32_t flags, reserved; } both[2] = {
    {0, (uintptr_t)&words[0], 2 | 128, 0}, {0, (uintptr_t)&words[0], 2 | 128, 0}};

static long requeue(void) { return syscall(SYS_futex, &words[0], 3 | 128, 1, (void *)(long)INT_MAX, &words[1], 0); }

static void *waiter(void *unused) {
    fact("futex_waitv on one futex twice is woken", syscall(449, both, 2, 0, NULL, CLOCK_MONOTONIC) >= 0);
    return unused;
}

static void waits_twice(void) {
    pthread_t thread;
    must("pthread_create", pthread_create(&thread, NULL, waiter, NULL) == 0 ? 0 : -1);
    while (requeue() <= 0) sched_yield();
    pthread_join(thread, NULL);
    result("wake where the others went", syscall(SYS_futex, &words[1], 1 | 128, INT_MAX, NULL, NULL, 0));
    // Long past.
    struct timespec past = {1, 0};
    result("futex_waitv on one futex twice", syscall(449, both, 2, 0, &past, CLOCK_MONOTONIC));
    result("requeue afterwards", requeue());
    result("wake afterwards", syscall(SYS_futex, &words[1], 1 | 128, INT_MAX, NULL, NULL, 0));
}

int main(void) {
    int ends[2];
    must("pipe", pipe(ends));
    times(ends[1]);
    offsets(ends[1], ends[0]);
    waits_twice();
    memory_as_a_file();
    return 0;
}
