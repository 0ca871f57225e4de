/*
 * summary: a vfork child runs in the parent's memory, with its own descriptors, until it exits or execs
 * calls: vfork execve exit wait4 dup2 fcntl
 */
#include "apus.h"
#include <fcntl.h>

int main(void) {
    volatile int seen = 0;
    int fd = must("open", open("/dev/null", O_RDONLY));
    char *const words[] = {"true", NULL};
    char *const none[] = {NULL};

    pid_t child = must("vfork", vfork());
    if (child == 0) {
        seen = 42;
        close(fd);
        _exit(9);
    }
    number("what the child wrote, seen after vfork", seen);
    outcome("the descriptor that the child closed", fcntl(fd, F_GETFD));
    wait_status("the child", wait_for(child));

    seen = 0;
    child = must("vfork", vfork());
    if (child == 0) {
        seen = 43;
        execve("/bin/true", words, none);
        _exit(1);
    }
    number("what the child wrote before exec", seen);
    wait_status("the child that ran true", wait_for(child));

    int error = 0;
    volatile int *reported = &error;
    child = must("vfork", vfork());
    if (child == 0) {
        execve("/nowhere/at/all", words, none);
        *reported = errno;
        _exit(5);
    }
    text("the errno of a failed exec, handed over in shared memory", errno_name(error));
    wait_status("the child", wait_for(child));

    child = must("vfork", vfork());
    if (child == 0) {
        kill(getpid(), SIGKILL);
        _exit(0);
    }
    wait_status("a vfork child that is killed", wait_for(child));
    return 0;
}
