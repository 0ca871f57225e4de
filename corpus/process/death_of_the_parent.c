/*
 * summary: PR_SET_PDEATHSIG tells of the death of the thread that made the child, not of its process
 * calls: prctl clone exit
 */
#include "apus.h"
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

static int ready[2];

/* Says what it hears within the time. */
static void child(const char *what, int seconds) {
    struct timespec time = {seconds, 0};
    siginfo_t info;
    sigset_t set;
    pid_t parent = getppid();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (write(ready[1], "r", 1) != 1) _exit(1);
    long signal = sigtimedwait(&set, &info, &time);
    if (signal < 0)
        result(what, signal);
    else
        line("%s: %s, code %d, from its parent %s, which it still has %s", what, signal_name(signal), info.si_code,
             info.si_pid == parent ? "yes" : "no", getppid() == parent ? "yes" : "no");
    _exit(0);
}

static void *makes(void *argument) {
    char byte;
    pid_t made = fork();
    if (made == 0) child("the thread ends", 10);
    if (read(ready[0], &byte, 1) != 1) _exit(1);
    return argument;
}

int main(void) {
    pthread_t thread;
    char byte;
    int status;
    if (pipe(ready) != 0) return 1;
    pthread_create(&thread, NULL, makes, NULL);
    pthread_join(thread, NULL);
    while (wait(&status) < 0 && errno == EINTR) continue;
    line("status %x", status);

    pid_t middle = fork();
    if (middle == 0) {
        if (fork() == 0) child("the process ends", 10);
        if (read(ready[0], &byte, 1) != 1) _exit(1);
        _exit(0);
    }
    waitpid(middle, &status, 0);
    /* The grandchild holds the other end until it is done. */
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 0) return 1;
    result("no signal at first", prctl(PR_SET_PDEATHSIG, 0));
    result("no such signal", prctl(PR_SET_PDEATHSIG, 65));
    return 0;
}
