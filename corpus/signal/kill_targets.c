/*
 * summary: kill reaches a process, a group, itself; tgkill a thread; with their errnos, also without permission
 * calls: kill tgkill tkill setpgid setuid
 */
#include "apus.h"

static int ready[2];

static void handler(int number) { line("this process got %s", signal_name(number)); }

static pid_t start_in_group(pid_t group) {
    pid_t child = must("fork", fork());
    if (child == 0) {
        must("setpgid", setpgid(0, group));
        must("write", write(ready[1], "x", 1));
        for (;;) pause();
    }
    char byte;
    must("read", read(ready[0], &byte, 1));
    return child;
}

static void without_permission(void) {
    pid_t parent = getppid();
    if (getuid() == 0) must("setuid", setuid(65534));
    else parent = 1;
    result("kill of another user's process", kill(parent, SIGUSR1));
    result("with signal 0", kill(parent, 0));
    result("with an invalid signal", kill(parent, 65));
    result("SIGCONT within the session is allowed", getuid() == 65534 ? kill(parent, SIGCONT) : 0);
    result("tgkill", syscall(SYS_tgkill, parent, parent, SIGUSR1));
}

int main(void) {
    pid_t self = getpid();
    must("pipe", pipe(ready));
    handle(SIGUSR1, handler, 0);
    result("kill itself", kill(self, SIGUSR1));
    result("signal 0", kill(self, 0));
    result("signal 65", kill(self, 65));
    result("signal -1", kill(self, -1));
    result("nobody", kill(0x3fffffff, 0));
    result("an empty group", kill(-0x3fffffff, 0));
    result("the smallest int", kill((pid_t)0x80000000, 0));
    result("tgkill itself", syscall(SYS_tgkill, self, self, SIGUSR1));
    result("tkill itself", syscall(SYS_tkill, self, SIGUSR1));
    result("tgkill with a wrong process", syscall(SYS_tgkill, self + 0x100000, self, SIGUSR1));
    result("tgkill of thread 0", syscall(SYS_tgkill, self, 0, SIGUSR1));
    result("tgkill of a negative thread", syscall(SYS_tgkill, self, -1, SIGUSR1));
    result("tgkill of process -1", syscall(SYS_tgkill, -1, self, SIGUSR1));
    result("tkill of thread 0", syscall(SYS_tkill, 0, SIGUSR1));
    result("tgkill with signal 65", syscall(SYS_tgkill, self, self, 65));

    pid_t leader = start_in_group(0), member = start_in_group(leader), other = start_in_group(0);
    result("a group of two", kill(-leader, SIGTERM));
    wait_status("its leader", wait_for(leader));
    wait_status("its member", wait_for(member));
    result("the third is alone", kill(other, 0));
    result("its group", kill(-other, SIGHUP));
    wait_status("it", wait_for(other));
    result("the group is gone", kill(-other, 0));

    pid_t child = must("fork", fork());
    if (child == 0) {
        must("setpgid", setpgid(0, 0));
        pid_t grandchild = ready_child();
        if (grandchild == 0)
            for (;;) pause();
        signal(SIGTERM, SIG_IGN);
        result("the own group by 0, itself ignoring", kill(0, SIGTERM));
        wait_status("the grandchild", wait_for(grandchild));
        _exit(0);
    }
    wait_status("the child", wait_for(child));
    wait_status("another user", in_child(without_permission));
    return 0;
}
