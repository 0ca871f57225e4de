/*
 * summary: an orphan goes to the nearest subreaper, which can wait for it; PR_SET_PDEATHSIG tells of the parent's end
 * calls: prctl fork getppid wait4
 */
#include "apus.h"
#include <sys/prctl.h>

static int from_orphan[2], to_orphan[2], to_middle[2];

static void died(int number) { line("the child got %s", signal_name(number)); }

static void await(int *ends) {
    char byte;
    must("read", read(ends[0], &byte, 1));
}

static void middle_with_orphan(void) {
    pid_t middle = getpid();
    pid_t orphan = must("fork", fork());
    if (orphan != 0) {
        await(to_middle);
        return;
    }
    fact("before, the parent is the middle process", getppid() == middle);
    must("write", write(to_middle[1], "x", 1));
    await(to_orphan);
    fact("after, it is another one", getppid() != middle);
    pid_t new_parent = getppid();
    must("write", write(from_orphan[1], &new_parent, sizeof new_parent));
    _exit(31);
}

static void middle_with_signal(void) {
    pid_t child = must("fork", fork());
    if (child == 0) {
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        must("sigprocmask", sigprocmask(SIG_SETMASK, &all, NULL));
        handle(SIGUSR1, died, 0);
        must("prctl", prctl(PR_SET_PDEATHSIG, SIGUSR1));
        int wanted = 0;
        must("prctl", prctl(PR_GET_PDEATHSIG, &wanted));
        text("the death signal", signal_name(wanted));
        must("write", write(to_middle[1], "x", 1));
        result("sigsuspend", sigsuspend(&none));
        _exit(32);
    }
    await(to_middle);
}

int main(void) {
    int flag = -1, status;
    must("pipe", pipe(from_orphan));
    must("pipe", pipe(to_orphan));
    must("pipe", pipe(to_middle));
    result("PR_SET_CHILD_SUBREAPER", prctl(PR_SET_CHILD_SUBREAPER, 1));
    result("PR_GET_CHILD_SUBREAPER", prctl(PR_GET_CHILD_SUBREAPER, &flag));
    number("it is set", flag);

    wait_status("the middle process", in_child(middle_with_orphan));
    must("write", write(to_orphan[1], "x", 1));
    pid_t new_parent = 0;
    must("read", read(from_orphan[0], &new_parent, sizeof new_parent));
    fact("the orphan's new parent is the subreaper", new_parent == getpid());
    fact("which can wait for it", waitpid(-1, &status, 0) > 0);
    wait_status("the orphan", status);

    int middle_status = in_child(middle_with_signal);
    fact("the second orphan", waitpid(-1, &status, 0) > 0);
    wait_status("its parent", middle_status);
    wait_status("it", status);
    result("PR_SET_PDEATHSIG of an invalid signal", prctl(PR_SET_PDEATHSIG, 65));
    result("nobody is left", waitpid(-1, &status, 0));
    return 0;
}
