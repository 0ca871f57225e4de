/*
 * summary: waitid fills the siginfo by how the child changed, keeps it with WNOWAIT, and validates its options
 * calls: waitid kill
 */
#include "apus.h"

static const char *code_name(int code) {
    switch (code) {
    case CLD_EXITED: return "CLD_EXITED";
    case CLD_KILLED: return "CLD_KILLED";
    case CLD_DUMPED: return "CLD_DUMPED";
    case CLD_STOPPED: return "CLD_STOPPED";
    case CLD_CONTINUED: return "CLD_CONTINUED";
    default: return "?";
    }
}

static pid_t child;

static void wait_and_show(const char *what, idtype_t type, id_t id, int options) {
    siginfo_t info;
    memset(&info, 0x55, sizeof info);
    long value = waitid(type, id, &info, options);
    result(what, value);
    if (value != 0) return;
    line("  %s, %s, status %d, errno field %d, child's pid %s, own uid %s", signal_name(info.si_signo),
         code_name(info.si_code), info.si_status, info.si_errno, info.si_pid == child ? "yes" : "no",
         info.si_uid == getuid() ? "yes" : "no");
}

int main(void) {
    no_core();
    result("no children", waitid(P_ALL, 0, NULL, WEXITED));
    child = ready_child();
    if (child == 0)
        for (;;) pause();
    siginfo_t info;
    memset(&info, 0x55, sizeof info);
    result("WNOHANG while it runs", waitid(P_PID, child, &info, WEXITED | WNOHANG));
    number("  signal number", info.si_signo);
    number("  pid", info.si_pid);
    result("no state asked for", waitid(P_PID, child, &info, WNOHANG));
    result("an unknown option", waitid(P_PID, child, &info, WEXITED | 0x10));
    result("an unknown kind of id", waitid((idtype_t)9, child, &info, WEXITED));
    result("P_PID with id 0", waitid(P_PID, 0, &info, WEXITED | WNOHANG));
    result("another group", waitid(P_PGID, child, &info, WEXITED | WNOHANG));

    kill(child, SIGSTOP);
    wait_and_show("a stop, kept", P_PID, child, WSTOPPED | WNOWAIT);
    wait_and_show("a stop, taken", P_PID, child, WSTOPPED);
    memset(&info, 0x55, sizeof info);
    result("a stop, once more", waitid(P_PID, child, &info, WSTOPPED | WNOHANG));
    number("  signal number", info.si_signo);
    kill(child, SIGCONT);
    wait_and_show("a continuation", P_ALL, 0, WCONTINUED);
    kill(child, SIGKILL);
    wait_and_show("killed, kept", P_PID, child, WEXITED | WNOWAIT);
    wait_and_show("killed, kept again", P_PGID, getpgrp(), WEXITED | WNOWAIT);
    wait_and_show("killed, taken", P_PGID, 0, WEXITED);
    result("taken for good", waitid(P_PID, child, &info, WEXITED));

    child = must("fork", fork());
    if (child == 0) _exit(0x1ff);
    wait_and_show("exit(0x1ff)", P_PID, child, WEXITED);
    child = must("fork", fork());
    if (child == 0) _exit(1);
    result("a null siginfo", waitid(P_PID, child, NULL, WEXITED));
    child = must("fork", fork());
    if (child == 0) _exit(1);
    result("a wild siginfo", syscall(SYS_waitid, P_PID, child, WILD, WEXITED, NULL));
    return 0;
}
