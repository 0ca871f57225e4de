/*
 * summary: wait4's options and pids: WNOHANG, WUNTRACED, WCONTINUED, groups, ECHILD and EINVAL
 * calls: wait4 kill setpgid getrusage
 */
#include "apus.h"

int main(void) {
    int status = 0;
    no_core();
    result("no children", waitpid(-1, &status, 0));
    result("no children, WNOHANG", waitpid(-1, &status, WNOHANG));
    result("a pid that is not a child", waitpid(1, &status, 0));
    result("our own pid", waitpid(getpid(), &status, 0));
    result("an unknown option", waitpid(-1, &status, 0x40));
    result("the smallest int as pid", waitpid((pid_t)0x80000000, &status, 0));

    pid_t child = ready_child();
    if (child == 0)
        for (;;) pause();
    status = 0x1234;
    result("WNOHANG while it runs", waitpid(child, &status, WNOHANG));
    number("status untouched", status);

    kill(child, SIGSTOP);
    fact("WUNTRACED sees the stop", waitpid(child, &status, WUNTRACED) == child);
    wait_status("status", status);
    result("the stop is reported once", waitpid(child, &status, WUNTRACED | WNOHANG));
    kill(child, SIGCONT);
    fact("WCONTINUED sees the continuation", waitpid(child, &status, WCONTINUED) == child);
    wait_status("status", status);
    number("status of a continuation", status);
    result("the continuation is reported once", waitpid(child, &status, WCONTINUED | WNOHANG));
    kill(child, SIGTERM);
    fact("the end", waitpid(child, &status, 0) == child);
    wait_status("status", status);
    number("raw status", status & 0x7f);

    pid_t first = must("fork", fork());
    if (first == 0) _exit(1);
    must("setpgid", setpgid(first, 0));
    pid_t second = must("fork", fork());
    if (second == 0) _exit(2);
    fact("our group has one child only", waitpid(0, &status, 0) == second);
    wait_status("status", status);
    result("our group has none now", waitpid(0, &status, 0));
    fact("the other group", waitpid(-first, &status, 0) == first);
    wait_status("status", status);

    child = must("fork", fork());
    if (child == 0) _exit(3);
    result("a wild status pointer", wait4(child, WILD, 0, NULL));
    result("the child was reaped all the same", waitpid(child, &status, 0));

    child = must("fork", fork());
    if (child == 0) _exit(4);
    struct rusage usage;
    memset(&usage, 0xff, sizeof usage);
    fact("wait4 fills the usage", wait4(child, &status, 0, &usage) == child);
    struct timeval system = usage.ru_stime;
    fact("its times are proper", system.tv_sec >= 0 && system.tv_usec >= 0 && system.tv_usec < 1000000);
    child = must("fork", fork());
    if (child == 0) _exit(5);
    fact("a null status", waitpid(child, NULL, 0) == child);
    return 0;
}
