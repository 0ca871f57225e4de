/*
 * summary: the line of parents leads to number 1, a process that /proc shows, calls know and signals do not end
 * calls: getppid getpgid getsid kill tgkill rt_sigqueueinfo pidfd_open getpriority setpgid
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/wait.h>

/* A field of /proc/pid/status as a number; -1 where there is none. */
static long status_field(long pid, const char *name) {
    char path[64], row[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    while (fgets(row, sizeof row, file))
        if (strncmp(row, name, strlen(name)) == 0) value = atol(row + strlen(name));
    fclose(file);
    return value;
}

static void as_nobody(void) {
    if (setgid(54321) < 0 || setuid(54321) < 0) {
        text("as nobody: kill", "-1 EPERM"), text("as nobody: sigqueue", "-1 EPERM");
        return;
    }
    union sigval value = {.sival_int = 1};
    result("as nobody: kill", kill(1, SIGTERM));
    result("as nobody: sigqueue", sigqueue(1, SIGUSR1, value));
}

int main(void) {
    long pid = getpid();
    int steps = 0;
    while (pid > 1 && steps < 100) pid = status_field(pid, "PPid:"), steps++;
    number("the parents lead to", pid);
    number("whose parent is", status_field(1, "PPid:"));
    number("which is of group", status_field(1, "Tgid:"));
    fact("the parent is in /proc", status_field(getppid(), "Pid:") == getppid());
    fact("and in a group", getpgid(getppid()) >= 0);
    fact("and in a session", getsid(getppid()) >= 0);
    fact("number 1 has a group", getpgid(1) >= 0);
    outcome("its priority", getpriority(PRIO_PROCESS, 1));
    int fd = syscall(SYS_pidfd_open, 1, 0);
    outcome("pidfd_open", fd);
    char comm[32] = "";
    int file = must("open comm", open("/proc/1/comm", O_RDONLY));
    fact("it has a name", read(file, comm, sizeof comm - 1) > 1);
    result("tgkill of a thread that is none of its own", syscall(SYS_tgkill, 1, getpid(), 0));
    result("setpgid", setpgid(1, 0));
    result("waitpid", waitpid(1, NULL, WNOHANG));
    wait_status("a child without rights", in_child(as_nobody));
    return 0;
}
