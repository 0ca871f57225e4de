/*
 * summary: SIGCONT wakes even when blocked or ignored, runs its handler, and cancels pending stops; and the reverse
 * calls: kill wait4 rt_sigaction
 */
#include "apus.h"

static int ready[2], gate[2];
static volatile int quiet;

static void counter(int number) { quiet += number == SIGUSR1; }

static void handler(int number) { line("the child handles %s", signal_name(number)); }

static void tell(void) { must("write", write(ready[1], "x", 1)); }

static void await(void) {
    char byte;
    must("read", read(ready[0], &byte, 1));
}

static void stopped(pid_t child, const char *what) {
    int status;
    must("waitpid", waitpid(child, &status, WUNTRACED));
    wait_status(what, status);
}

static void continued(pid_t child, const char *what) {
    int status;
    must("waitpid", waitpid(child, &status, WCONTINUED));
    wait_status(what, status);
}

static pid_t start(void (*body)(void)) {
    pid_t child = must("fork", fork());
    if (child == 0) {
        body();
        _exit(5);
    }
    return child;
}

static void with_handler(void) {
    handle(SIGCONT, handler, 0);
    kill(getpid(), SIGSTOP);
}

static void ignoring(void) {
    handle(SIGCONT, SIG_IGN, 0);
    kill(getpid(), SIGSTOP);
}

static void blocking(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCONT);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    kill(getpid(), SIGSTOP);
    must("sigpending", sigpending(&set));
    fact("SIGCONT is pending", sigismember(&set, SIGCONT));
}

static void cancelling(void) {
    sigset_t stops, set;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTSTP);
    sigaddset(&stops, SIGCONT);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &stops, NULL));
    handle(SIGTSTP, handler, 0);
    handle(SIGCONT, handler, 0);
    kill(getpid(), SIGTSTP);
    kill(getpid(), SIGCONT);
    must("sigpending", sigpending(&set));
    line("after TSTP, CONT: TSTP pending %d, CONT pending %d", sigismember(&set, SIGTSTP), sigismember(&set, SIGCONT));
    kill(getpid(), SIGTSTP);
    must("sigpending", sigpending(&set));
    line("after TSTP again: TSTP pending %d, CONT pending %d", sigismember(&set, SIGTSTP), sigismember(&set, SIGCONT));
    must("sigprocmask", sigprocmask(SIG_UNBLOCK, &stops, NULL));
}

static void waiting(void) {
    sigset_t set, none;
    char byte;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGUSR1, counter, 0);
    tell();
    result("sigsuspend", sigsuspend(&none) == -1 && read(gate[0], &byte, 1) == 1 ? 0 : 1);
    number("handled", quiet);
}

int main(void) {
    must("pipe", pipe(ready));
    must("pipe", pipe(gate));
    void (*const bodies[])(void) = {with_handler, ignoring, blocking};
    static const char *const names[] = {"handler", "ignored", "blocked"};
    for (size_t i = 0; i < COUNT(bodies); i++) {
        line("%s:", names[i]);
        pid_t child = start(bodies[i]);
        stopped(child, "stopped");
        kill(child, SIGCONT);
        wait_status("end", wait_for(child));
    }
    wait_status("cancelling", wait_for(start(cancelling)));

    pid_t child = start(waiting);
    await();
    kill(child, SIGSTOP);
    stopped(child, "stopped while it waits");
    kill(child, SIGUSR1);
    kill(child, SIGCONT);
    continued(child, "continued with a signal pending");
    must("write", write(gate[1], "x", 1));
    wait_status("end", wait_for(child));
    return 0;
}
