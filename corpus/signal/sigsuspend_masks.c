/*
 * summary: sigsuspend swaps the mask for the time of the wait, runs the handler under it and gives EINTR
 * calls: rt_sigsuspend rt_sigprocmask kill
 */
#include "apus.h"

static int blocked(int number) {
    sigset_t set;
    must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
    return sigismember(&set, number);
}

static void handler(int number) {
    line("handler of %s: USR1 blocked %d, USR2 blocked %d, TERM blocked %d", signal_name(number), blocked(SIGUSR1),
         blocked(SIGUSR2), blocked(SIGTERM));
}

int main(void) {
    sigset_t both, only_term, pending;
    handle(SIGUSR1, handler, 0);
    handle(SIGUSR2, handler, SA_RESTART);
    handle(SIGTERM, handler, 0);
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    sigemptyset(&only_term);
    sigaddset(&only_term, SIGTERM);
    must("sigprocmask", sigprocmask(SIG_SETMASK, &both, NULL));

    kill(getpid(), SIGUSR1);
    line("one is pending");
    result("sigsuspend", sigsuspend(&only_term));
    line("afterwards: USR1 %d, USR2 %d, TERM %d", blocked(SIGUSR1), blocked(SIGUSR2), blocked(SIGTERM));
    kill(getpid(), SIGUSR2);
    result("sigsuspend, SA_RESTART does not restart it", sigsuspend(&only_term));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    line("two are pending");
    result("sigsuspend runs both", sigsuspend(&only_term));
    must("sigpending", sigpending(&pending));
    fact("nothing is pending", !sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGUSR2));

    sigaddset(&both, SIGTERM);
    must("sigprocmask", sigprocmask(SIG_SETMASK, &both, NULL));
    pid_t parent = getpid(), child = must("fork", fork());
    if (child == 0) {
        usleep(2000);
        kill(parent, SIGCONT);
        kill(parent, SIGWINCH);
        kill(parent, SIGTERM);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    result("ignored and blocked ones do not end it", sigsuspend(&only_term));
    wait_status("the sender", wait_for(child));
    must("sigpending", sigpending(&pending));
    fact("SIGTERM is pending", sigismember(&pending, SIGTERM));
    result("a set of 4 bytes", syscall(SYS_rt_sigsuspend, &both, 4));
    result("a wild set", syscall(SYS_rt_sigsuspend, WILD, 8));
    return 0;
}
