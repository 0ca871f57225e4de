/*
 * summary: terminal stop signals do not stop an orphaned process group; becoming one wakes a stopped group
 * calls: setsid setpgid kill wait4
 */
#include "apus.h"

static int done[2];

static void hangup(int number) { line("the stopped process got %s", signal_name(number)); }

static void in_an_orphaned_group(void) {
    must("setsid", setsid());
    kill(getpid(), SIGTSTP);
    line("SIGTSTP did not stop it");
    kill(getpid(), SIGTTIN);
    kill(getpid(), SIGTTOU);
    line("nor did SIGTTIN and SIGTTOU");
    pid_t child = must("fork", fork());
    if (child == 0)
        for (;;) pause();
    int status;
    kill(child, SIGSTOP);
    must("waitpid", waitpid(child, &status, WUNTRACED));
    wait_status("SIGSTOP", status);
    kill(child, SIGKILL);
    wait_status("SIGKILL reaches a stopped child", wait_for(child));
    child = must("fork", fork());
    if (child == 0) {
        must("setpgid", setpgid(0, 0));
        kill(getpid(), SIGTSTP);
        _exit(4);
    }
    must("waitpid", waitpid(child, &status, WUNTRACED));
    wait_status("SIGTSTP in a group whose leader's parent is in the session", status);
    kill(child, SIGCONT);
    wait_status("continued", wait_for(child));
}

/* The middle process dies while its child, alone in its group, is stopped: SIGHUP and SIGCONT must wake the child. */
static void middle(void) {
    pid_t child = must("fork", fork());
    if (child == 0) {
        must("setpgid", setpgid(0, 0));
        handle(SIGHUP, hangup, 0);
        kill(getpid(), SIGSTOP);
        line("the stopped process goes on");
        must("write", write(done[1], "x", 1));
        _exit(0);
    }
    int status;
    must("waitpid", waitpid(child, &status, WUNTRACED));
    wait_status("the grandchild", status);
}

int main(void) {
    char byte;
    must("pipe", pipe(done));
    wait_status("the orphaned group", in_child(in_an_orphaned_group));
    int status = in_child(middle);
    must("read", read(done[0], &byte, 1));
    // Its own end closes the pipe: what is still alive when this process ends would be killed.
    close(done[1]);
    number("the stopped process has ended", read(done[0], &byte, 1));
    wait_status("the middle process", status);
    return 0;
}
