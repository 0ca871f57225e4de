/*
 * summary: zombies keep their pid until waited for; ignoring SIGCHLD or SA_NOCLDWAIT reaps them at once
 * calls: wait4 kill rt_sigaction
 */
#include "apus.h"
#include <fcntl.h>

static volatile int told;

static void child_died(int number) { told += number == SIGCHLD; }

static char state_of(pid_t pid) {
    char path[64], data[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return '-';
    long n = read(fd, data, sizeof data - 1);
    close(fd);
    char *end = n > 0 ? strrchr(data, ')') : NULL;
    return end ? end[2] : '?';
}

static pid_t start(int status) {
    pid_t child = must("fork", fork());
    if (child == 0) _exit(status);
    return child;
}

int main(void) {
    siginfo_t info;
    int status;
    pid_t child = start(5);
    must("waitid", waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    line("the state of a zombie: %c", state_of(child));
    result("kill of a zombie", kill(child, SIGKILL));
    result("kill with signal 0", kill(child, 0));
    fact("its group can be asked", getpgid(child) == getpgrp());
    wait_status("waited for", wait_for(child));
    result("kill after that", kill(child, 0));
    line("its state: %c", state_of(child));

    handle(SIGCHLD, SIG_IGN, 0);
    start(6);
    result("SIGCHLD ignored: wait blocks until no child is left", waitpid(-1, &status, 0));
    handle(SIGCHLD, child_died, SA_NOCLDWAIT | SA_RESTART);
    start(7);
    result("SA_NOCLDWAIT: likewise", waitpid(-1, &status, 0));
    fact("with the handler called", told == 1);
    handle(SIGCHLD, SIG_DFL, 0);
    child = start(8);
    fact("the default keeps the zombie", waitpid(-1, &status, 0) == child);
    wait_status("status", status);

    child = start(9);
    must("waitid", waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    handle(SIGCHLD, SIG_IGN, 0);
    fact("a zombie from before stays", waitpid(-1, &status, 0) == child);
    return 0;
}
