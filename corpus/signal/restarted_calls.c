/*
 * summary: with SA_RESTART reads, writes, waits, locks and futexes go on; poll, select and sleeps do not
 * calls: read write wait4 flock accept futex poll select epoll_wait nanosleep pause
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

static volatile int handled;
static pid_t helper;
static int ends[2], pair[2], full[2], held;
static volatile int *shared;

static void handler(int number) { handled += number != 0; }

/* A child that sends some signals, then does what the call waits for; or that never stops sending. */
static void start(void (*then)(void)) {
    pid_t target = getpid();
    handled = 0;
    helper = must("fork", fork());
    if (helper != 0) return;
    struct timespec pause_time = {0, 1000000};
    handle(SIGUSR1, SIG_IGN, 0);
    for (int i = 0; i < 8 || then == NULL; i++) {
        nanosleep(&pause_time, NULL);
        if (kill(target, SIGUSR1) != 0) _exit(0);
    }
    then();
    for (;;) pause();
}

static void stop(const char *what, long value) {
    int error = errno;
    kill(helper, SIGKILL);
    waitpid(helper, NULL, 0);
    errno = error;
    result(what, value);
    if (handled == 0) line("  but no handler ran");
}

static void fill_pipe(void) { must("write", write(ends[1], "x", 1)); }
static void fill_pair(void) { must("write", write(pair[1], "x", 1)); }
static void empty_pipe(void) {
    char data[4096];
    must("read", read(full[0], data, sizeof data));
}
static void unlock(void) { must("flock", flock(held, LOCK_UN)); }
static void wake(void) {
    *shared = 6;
    syscall(SYS_futex, shared, 1, 1, NULL, NULL, 0);
}
static void leave(void) { _exit(12); }

#define TRY(what, then, call) (start(then), stop(what, (call)))

int main(void) {
    char data[65536];
    int status = 0;
    memset(data, 0, sizeof data);
    struct timespec minute = {60, 0};
    struct timeval minute_too = {60, 0};
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *shared = 5;
    handle(SIGUSR1, handler, SA_RESTART);
    must("pipe", pipe(ends));
    must("pipe", pipe(full));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    held = must("open", open("lock", O_RDWR | O_CREAT, 0600));
    int wanted = must("open", open("lock", O_RDWR));
    must("flock", flock(held, LOCK_EX));
    int epoll = must("epoll_create1", epoll_create1(0));

    TRY("read of a pipe", fill_pipe, read(ends[0], data, 1));
    must("write", write(full[1], data, sizeof data));
    TRY("write into a full pipe", empty_pipe, write(full[1], data, 4096));
    TRY("recv", fill_pair, recv(pair[0], data, 1, 0));
    TRY("flock", unlock, flock(wanted, LOCK_EX));
    TRY("futex wait", wake, syscall(SYS_futex, shared, 0, 5, NULL, NULL, 0) == 0 || errno == EAGAIN ? 0 : -1);
    start(leave);
    fact("wait4", waitpid(helper, &status, 0) == helper);
    wait_status("  the child", status);
    TRY("poll", NULL, poll(NULL, 0, 60000));
    TRY("select", NULL, select(0, NULL, NULL, NULL, &minute_too));
    TRY("epoll_wait", NULL, epoll_wait(epoll, (struct epoll_event[1]){{0}}, 1, -1));
    TRY("nanosleep", NULL, nanosleep(&minute, NULL));
    TRY("pause", NULL, pause());
    return 0;
}
