/*
 * summary: a thread made by clone alone: shared memory, CLEARTID's wake, its own id in one process, exit of one thread
 * calls: clone futex exit gettid getpid set_tid_address
 */
#include "apus.h"
#include <sched.h>
#include <sys/mman.h>

static volatile int tid_word = -1, parent_word = -1, seen_tid, seen_pid, seen_value;

static int body(void *argument) {
    seen_value = (int)(long)argument;
    seen_tid = syscall(SYS_gettid);
    seen_pid = syscall(SYS_getpid);
    syscall(SYS_exit, 3);
    return 0;
}

static void await(void) {
    for (int value; (value = tid_word) != 0;) syscall(SYS_futex, &tid_word, 0, value, NULL, NULL, 0);
}

int main(void) {
    char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
                CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    int good = 0;
    for (int i = 0; i < 100; i++) {
        tid_word = -1;
        int tid = clone(body, stack + 65536, flags, (void *)(long)i, &parent_word, NULL, &tid_word);
        must("clone", tid);
        await();
        good += parent_word == tid && seen_tid == tid && seen_pid == getpid() && seen_value == i;
    }
    number("threads that behaved", good);
    int status;
    result("a thread is no child", waitpid(-1, &status, __WALL));
    fact("set_tid_address returns the caller's id", syscall(SYS_set_tid_address, &tid_word) == getpid());
    tid_word = -1;
    int tid = clone(body, stack + 65536, flags | SIGCHLD, NULL, &parent_word, NULL, &tid_word);
    outcome("a thread with a signal for its exit is no error", tid);
    await();
    return 0;
}
