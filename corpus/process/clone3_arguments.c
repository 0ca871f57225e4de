/*
 * summary: clone3 checks the size of its arguments, unknown bytes, exit signals and stacks, and can return a pidfd
 * calls: clone3 waitid poll
 */
#include "apus.h"
#include <poll.h>
#include <stdint.h>

struct arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
    uint64_t beyond[4];
};

#define PIDFD 0x1000u
#define PARENT_SETTID 0x100000u

static long start(struct arguments *arguments, size_t size, int status) {
    long child = syscall(435, arguments, size);
    if (child == 0) _exit(status);
    return child;
}

static void refuse(const char *what, struct arguments *arguments, size_t size) {
    long child = start(arguments, size, 0);
    outcome(what, child);
    if (child > 0) wait_for(child);
}

int main(void) {
    struct arguments a = {.exit_signal = SIGCHLD};
    long child = start(&a, 64, 3);
    outcome("the first published size (64)", child);
    wait_status("its child", wait_for(child));
    child = start(&a, sizeof a, 4);
    outcome("a larger structure whose tail is zero", child);
    wait_status("its child", wait_for(child));

    refuse("63 bytes", &a, 63);
    a.beyond[2] = 1;
    refuse("a larger structure whose tail is not zero", &a, sizeof a);
    a.beyond[2] = 0;
    // All of it is memory of its own: a trace shows what lies behind the arguments, too.
    static struct arguments large[5000 / sizeof a + 1];
    refuse("larger than a page", large, 5000);
    refuse("a wild pointer", WILD, 64);
    a.exit_signal = 65;
    refuse("exit signal 65", &a, 64);
    a.exit_signal = SIGCHLD | 0x100;
    refuse("exit signal with a flag in it", &a, 64);
    a.exit_signal = SIGCHLD;
    a.stack = 0x10000;
    refuse("a stack without a size", &a, 64);
    a.stack = 0;
    a.stack_size = 4096;
    refuse("a size without a stack", &a, 64);
    a.stack_size = 0;
    a.flags = SIGCHLD;
    refuse("a signal in the flags", &a, 64);
    a.flags = 1ull << 40;
    refuse("an unknown flag", &a, 64);

    int pidfd = -1;
    pid_t tid = 0;
    a.flags = PIDFD | PARENT_SETTID;
    a.pidfd = (uint64_t)(uintptr_t)&pidfd;
    a.parent_tid = (uint64_t)(uintptr_t)&tid;
    child = start(&a, 64, 21);
    outcome("CLONE_PIDFD and CLONE_PARENT_SETTID", child);
    fact("the thread id was stored", tid == child);
    fact("a descriptor was stored", pidfd > 2);
    struct pollfd watched = {.fd = pidfd, .events = POLLIN};
    result("poll of the pidfd after the exit", poll(&watched, 1, 10000));
    fact("POLLIN", watched.revents == POLLIN);
    siginfo_t info;
    result("waitid with P_PIDFD", waitid(3, pidfd, &info, WEXITED));
    number("status", info.si_status);
    return 0;
}
