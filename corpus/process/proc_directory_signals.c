/*
 * summary: pidfd_send_signal takes an open /proc/pid, as killall does, and knows when the process has gone
 * calls: pidfd_send_signal open waitid
 */
#include "apus.h"
#include <fcntl.h>

#define SYS_PIDFD_SEND_SIGNAL 424

static long signal_by(int fd, int number) { return syscall(SYS_PIDFD_SEND_SIGNAL, fd, number, NULL, 0); }

int main(void) {
    char path[64];
    int status;
    pid_t child = must("fork", fork());
    if (child == 0)
        for (;;) pause();
    snprintf(path, sizeof path, "/proc/%d", child);
    int directory = must("open /proc/pid", open(path, O_RDONLY | O_DIRECTORY));
    int thread = must("open /proc/pid/task", open("/proc/self/task", O_RDONLY | O_DIRECTORY));
    int proc = must("open /proc", open("/proc", O_RDONLY | O_DIRECTORY));
    int location = must("open with O_PATH", open(path, O_PATH | O_DIRECTORY));
    int here = must("open .", open(".", O_RDONLY | O_DIRECTORY));
    result("signal 0 by /proc/pid", signal_by(directory, 0));
    result("by /proc/self/task", signal_by(thread, 0));
    result("by /proc", signal_by(proc, 0));
    result("by /proc/pid opened with O_PATH", signal_by(location, 0));
    result("by a directory elsewhere", signal_by(here, 0));
    result("an invalid signal", signal_by(directory, 65));
    result("SIGTERM", signal_by(directory, SIGTERM));
    result("waitpid", waitpid(child, &status, 0) == child ? 0 : -1);
    text("it died of", signal_name(WTERMSIG(status)));
    result("a signal after its end", signal_by(directory, 0));
    return 0;
}
