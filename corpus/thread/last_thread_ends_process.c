/*
 * summary: when the main thread leaves first, the process lives on with its pid until the last thread ends
 * calls: exit exit_group clone futex
 */
#include "apus.h"
#include <fcntl.h>
#include <pthread.h>

static pid_t pid;

static void *lives_on(void *argument) {
    char path[64], data[512];
    pthread_t main_thread = *(pthread_t *)argument;
    pthread_join(main_thread, NULL);
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, pid);
    /* The thread is joinable a moment before the kernel calls it a zombie. */
    char state = '?';
    for (int i = 0; i < 2000 && state != 'Z'; i++) {
        int fd = open(path, O_RDONLY);
        long n = fd < 0 ? -1 : read(fd, data, sizeof data - 1);
        if (fd >= 0) close(fd);
        data[n > 0 ? n : 0] = 0;
        char *end = strrchr(data, ')');
        if (end) state = end[2];
        if (state != 'Z') usleep(1000);
    }
    line("the main thread's state: %c", state);
    fact("the pid is the same", getpid() == pid);
    fact("the thread's own id differs", syscall(SYS_gettid) != pid);
    result("a signal to the process", kill(pid, 0));
    result("a signal to the main thread", syscall(SYS_tgkill, pid, pid, 0));
    pid_t child = must("fork", fork());
    if (child == 0) {
        fact("a child's parent is the process", getppid() == pid);
        _exit(8);
    }
    wait_status("the child", wait_for(child));
    line("the last thread ends");
    return NULL;
}

int main(void) {
    static pthread_t self;
    pthread_t thread;
    pid = getpid();
    self = pthread_self();
    line("the main thread ends");
    pthread_create(&thread, NULL, lives_on, &self);
    pthread_exit(NULL);
}
