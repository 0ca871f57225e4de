/*
 * summary: clone shares what its flags name, and refuses flags that contradict each other
 * calls: clone wait4 chdir fcntl
 */
#include "apus.h"
#include <fcntl.h>
#include <sched.h>

static int value;
static int shared_fd;
static pid_t parent_tid, child_tid;
static char stack[65536] __attribute__((aligned(16)));

static int body(void *argument) {
    value = 77;
    close(shared_fd);
    if (chdir("/") != 0) return 90;
    return (int)(long)argument;
}

static int leave(void *argument) { return (int)(long)argument; }

static void try(const char *what, int flags) {
    char before[256], after[256];
    value = 0;
    shared_fd = must("open", open("/dev/null", O_RDONLY));
    must("getcwd", getcwd(before, sizeof before) ? 0 : -1);
    pid_t child = must("clone", clone(body, stack + sizeof stack, flags | SIGCHLD, (void *)5L));
    wait_status(what, wait_for(child));
    must("getcwd", getcwd(after, sizeof after) ? 0 : -1);
    line("  memory shared: %s", value == 77 ? "yes" : "no");
    line("  descriptors shared: %s", fcntl(shared_fd, F_GETFD) == -1 ? "yes" : "no");
    line("  directory shared: %s", strcmp(before, after) != 0 ? "yes" : "no");
    close(shared_fd);
    must("chdir", chdir(before));
}

static void refuse(const char *what, unsigned long flags) {
    long child = syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    outcome(what, child);
    if (child > 0) wait_for(child);
}

int main(void) {
    try("no flags", 0);
    try("CLONE_VM", CLONE_VM);
    try("CLONE_FILES", CLONE_FILES);
    try("CLONE_FS", CLONE_FS);
    try("all three", CLONE_VM | CLONE_FILES | CLONE_FS);
    refuse("CLONE_SIGHAND without CLONE_VM", CLONE_SIGHAND | SIGCHLD);
    refuse("CLONE_THREAD without CLONE_SIGHAND", CLONE_THREAD | CLONE_VM | SIGCHLD);
    refuse("CLONE_FS with CLONE_NEWNS", CLONE_FS | CLONE_NEWNS | SIGCHLD);

    char *top = stack + sizeof stack;
    pid_t child = must("clone", clone(leave, top, CLONE_PARENT_SETTID | SIGCHLD, (void *)6L, &parent_tid));
    fact("CLONE_PARENT_SETTID stored the child's id", parent_tid == child);
    wait_status("the child", wait_for(child));
    child_tid = 1;
    int flags = CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
    child = must("clone", clone(leave, top, flags, (void *)8L, NULL, NULL, &child_tid));
    wait_status("the child", wait_for(child));
    number("CLONE_CHILD_CLEARTID left in shared memory", child_tid);

    int status;
    child = must("clone", clone(leave, top, 0, (void *)4L));
    result("a child without an exit signal, waited without __WALL", waitpid(child, &status, 0));
    fact("waited with __WALL", waitpid(child, &status, __WALL) == child);
    wait_status("the child", status);
    return 0;
}
