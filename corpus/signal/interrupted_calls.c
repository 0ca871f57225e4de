/*
 * summary: without SA_RESTART a handler ends blocking calls with EINTR
 * calls: read write wait4 flock accept futex poll select epoll_wait nanosleep msgrcv rt_sigtimedwait pause
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static volatile int handled;
static pid_t sender;

static void handler(int number) { handled += number != 0; }

/* A child that sends SIGUSR1 every millisecond, so that one arrives while the call blocks. */
static void start(void) {
    pid_t target = getpid();
    handled = 0;
    sender = must("fork", fork());
    if (sender == 0) {
        struct timespec pause_time = {0, 1000000};
        signal(SIGUSR1, SIG_DFL);
        for (;;) {
            nanosleep(&pause_time, NULL);
            if (kill(target, SIGUSR1) != 0) _exit(0);
        }
    }
}

static void stop(const char *what, long value) {
    int error = errno;
    kill(sender, SIGKILL);
    wait_for(sender);
    errno = error;
    result(what, value);
    if (handled == 0) line("  but no handler ran");
}

#define TRY(what, call) (start(), stop(what, (call)))

int main(void) {
    int ends[2], pair[2], word = 5, status;
    char data[65536];
    memset(data, 0, sizeof data);
    struct timespec minute = {60, 0};
    struct timeval minute_too = {60, 0};
    handle(SIGUSR1, handler, 0);
    must("pipe", pipe(ends));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    int listener = must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    must("bind", bind(listener, (struct sockaddr *)&name, sizeof name));
    must("listen", listen(listener, 1));
    int held = must("open", open("lock", O_RDWR | O_CREAT, 0600)), wanted = must("open", open("lock", O_RDWR));
    must("flock", flock(held, LOCK_EX));
    int epoll = must("epoll_create1", epoll_create1(0));
    pid_t sleeper = must("fork", fork());
    if (sleeper == 0) {
        handle(SIGUSR1, SIG_IGN, 0);
        for (;;) pause();
    }

    TRY("read of a pipe", read(ends[0], data, 1));
    must("write", write(ends[1], data, sizeof data));
    TRY("write into a full pipe", write(ends[1], data, 1));
    TRY("recv", recv(pair[0], data, 1, 0));
    TRY("accept", accept(listener, NULL, NULL));
    TRY("wait4", waitpid(sleeper, &status, 0));
    TRY("flock", flock(wanted, LOCK_EX));
    TRY("futex wait", syscall(SYS_futex, &word, 0, 5, &minute, NULL, 0));
    TRY("futex wait without a timeout", syscall(SYS_futex, &word, 0, 5, NULL, NULL, 0));
    TRY("poll", poll(NULL, 0, 60000));
    TRY("select", select(0, NULL, NULL, NULL, &minute_too));
    TRY("epoll_wait", epoll_wait(epoll, (struct epoll_event[1]){{0}}, 1, -1));
    TRY("nanosleep", nanosleep(&minute, NULL));
    TRY("pause", pause());
    sigset_t other;
    sigemptyset(&other);
    sigaddset(&other, SIGUSR2);
    TRY("sigtimedwait", syscall(SYS_rt_sigtimedwait, &other, NULL, &minute, 8));
    kill(sleeper, SIGKILL);
    wait_status("the sleeping child", wait_for(sleeper));
    return 0;
}
