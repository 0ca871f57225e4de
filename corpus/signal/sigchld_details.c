/*
 * summary: SIGCHLD tells of exits, kills, stops and continuations; SA_NOCLDSTOP keeps the latter two back
 * calls: rt_sigaction kill wait4 rt_sigtimedwait
 */
#include "apus.h"
#include <time.h>

static pid_t child;

static void show(const char *what) {
    static const char *const names[] = {"0",           "CLD_EXITED",  "CLD_KILLED",   "CLD_DUMPED",
                                        "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    must("sigwaitinfo", sigwaitinfo(&set, &info));
    line("%s: %s, status %d, its pid %s", what, info.si_code >= 0 && info.si_code < 7 ? names[info.si_code] : "?",
         info.si_status, info.si_pid == child ? "yes" : "no");
}

static void ignore(int number) { (void)number; }

static void start(void) {
    child = ready_child();
    if (child == 0)
        for (;;) pause();
}

int main(void) {
    sigset_t set;
    siginfo_t info;
    int status;
    struct timespec zero = {0, 0};
    no_core();
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGCHLD, ignore, 0);

    start();
    kill(child, SIGSTOP);
    show("a stop");
    kill(child, SIGCONT);
    show("a continuation");
    kill(child, SIGTERM);
    show("a kill");
    wait_for(child);
    child = must("fork", fork());
    if (child == 0) _exit(77);
    show("an exit");
    wait_for(child);

    handle(SIGCHLD, ignore, SA_NOCLDSTOP);
    start();
    kill(child, SIGSTOP);
    must("waitpid", waitpid(child, &status, WUNTRACED));
    wait_status("SA_NOCLDSTOP: wait still tells", status);
    result("but no signal", sigtimedwait(&set, &info, &zero));
    kill(child, SIGCONT);
    must("waitpid", waitpid(child, &status, WCONTINUED));
    wait_status("wait", status);
    result("no signal", sigtimedwait(&set, &info, &zero));
    kill(child, SIGKILL);
    show("its end");
    wait_for(child);

    handle(SIGCHLD, ignore, 0);
    pid_t pids[5];
    for (int i = 0; i < 5; i++) {
        pids[i] = must("fork", fork());
        if (pids[i] == 0) _exit(i);
    }
    for (int i = 0; i < 5; i++) must("waitid", waitid(P_PID, pids[i], &info, WEXITED | WNOWAIT));
    int signals = 0, waited = 0;
    while (sigtimedwait(&set, &info, &zero) == SIGCHLD) signals++;
    while (waitpid(-1, &status, WNOHANG) > 0) waited++;
    number("five ends, signals", signals);
    number("children waited for", waited);
    return 0;
}
