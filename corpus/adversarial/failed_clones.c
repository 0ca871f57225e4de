/*
 * summary: clones that fail late leave nothing behind: after thousands of them one succeeds
 * calls: clone wait4
 */
#include "apus.h"
#include <sched.h>
#include <sys/syscall.h>

int main(void) {
    int bad = 0;
    // The descriptor of the child has no place to be told: EFAULT, after everything else has been made ready.
    for (int i = 0; i < 3000; i++) {
        long got = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0);
        if (got == 0) _exit(1);
        if (got > 0 || errno != EFAULT) bad++;
    }
    number("clones that did not fail with EFAULT", bad);
    pid_t child = fork();
    if (child == 0) _exit(7);
    int status;
    must("waitpid", waitpid(child, &status, 0));
    number("the status of one that succeeds", WEXITSTATUS(status));
    return 0;
}
