/*
 * summary: fork copies memory and mask, shares open files' offsets, and starts without pending signals
 * calls: fork getpid getppid wait4 lseek kill rt_sigpending rt_sigprocmask
 * file: numbers 644 0123456789
 */
#include "apus.h"
#include <fcntl.h>

static int global = 1;

int main(void) {
    int local = 2;
    int *heap = malloc(sizeof *heap);
    *heap = 3;
    pid_t parent = getpid();
    int fd = must("open", open("numbers", O_RDONLY));
    must("lseek", lseek(fd, 2, SEEK_SET));

    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &mask, NULL));
    must("kill", kill(parent, SIGUSR1));

    pid_t child = must("fork", fork());
    if (child == 0) {
        char two[2];
        sigset_t set;
        fact("the child has its own pid", getpid() != parent);
        fact("the child's parent is the parent", getppid() == parent);
        number("the child's globals", global);
        number("the child's locals", local);
        number("the child's heap", *heap);
        global = local = *heap = 100;
        must("sigpending", sigpending(&set));
        fact("the parent's pending signal is pending in the child", sigismember(&set, SIGUSR1));
        must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
        fact("the mask is inherited", sigismember(&set, SIGUSR1));
        result("the child reads on at the shared offset", read(fd, two, 2));
        bytes("what it reads", two, 2);
        must("close", close(fd));
        exit(7);
    }
    int status;
    fact("the waited pid is fork's result", wait4(child, &status, 0, NULL) == child);
    wait_status("the child", status);
    number("the parent's globals", global);
    number("the parent's locals", local);
    number("the parent's heap", *heap);
    result("the offset that the child moved", lseek(fd, 0, SEEK_CUR));
    sigset_t set;
    must("sigpending", sigpending(&set));
    fact("the signal is still pending in the parent", sigismember(&set, SIGUSR1));
    result("no child is left", wait4(-1, &status, 0, NULL));
    return 0;
}
