/*
 * summary: close_range closes or marks ranges, also for a copied table; FIOCLEX and F_SETFD mark single descriptors
 * calls: close_range ioctl fcntl dup3 execve
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/ioctl.h>

#define UNSHARE 2
#define CLOEXEC 4

static long range(unsigned first, unsigned last, unsigned flags) { return syscall(436, first, last, flags); }

static void show(const char *what) {
    char out[64] = "";
    for (int fd = 30; fd < 40; fd++) {
        int flags = fcntl(fd, F_GETFD);
        out[strlen(out)] = flags < 0 ? '.' : flags == 0 ? 'o' : 'c';
    }
    text(what, out);
}

static void fill(void) {
    for (int fd = 30; fd < 40; fd++) must("dup2", dup2(0, fd));
}

int main(int argc, char **argv) {
    if (argc > 1) {
        show("after exec");
        return 0;
    }
    must("open", open("/dev/null", O_RDONLY));
    fill();
    show("open");
    result("close 32 to 34", range(32, 34, 0));
    show("then");
    result("over holes, beyond the last", range(33, 36, 0));
    show("then");
    result("mark 36 to 38", range(36, 38, CLOEXEC));
    show("then");
    fill();
    result("first above last", range(35, 34, 0));
    result("an unknown flag", range(30, 31, 1));
    result("a range that is empty", range(1000000, ~0u, 0));
    result("F_SETFD", fcntl(30, F_SETFD, FD_CLOEXEC));
    result("FIOCLEX", ioctl(31, FIOCLEX));
    result("dup3 with O_CLOEXEC", dup3(0, 32, O_CLOEXEC));
    show("then");
    result("FIONCLEX", ioctl(31, FIONCLEX));
    result("F_SETFD of other bits", fcntl(33, F_SETFD, ~FD_CLOEXEC));
    show("then");
    int on = 1, off = 0;
    result("FIONBIO", ioctl(33, FIONBIO, &on));
    fact("sets O_NONBLOCK", (fcntl(33, F_GETFL) & O_NONBLOCK) != 0);
    result("FIONBIO off", ioctl(33, FIONBIO, &off));
    fact("clears it", (fcntl(33, F_GETFL) & O_NONBLOCK) == 0);
    result("FIONBIO with a wild pointer", ioctl(33, FIONBIO, WILD));
    result("an ioctl that nobody knows", ioctl(33, 0x12345678, 0));
    result("of a closed descriptor", ioctl(99, FIOCLEX));

    pid_t child = must("fork", fork());
    if (child == 0) {
        result("unshare and close", range(33, 35, UNSHARE));
        show("the child");
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        _exit(1);
    }
    wait_status("it", wait_for(child));
    show("the parent");
    result("mark everything from 33 on", range(33, ~0u, CLOEXEC));
    child = must("fork", fork());
    if (child == 0) {
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        _exit(1);
    }
    wait_status("it", wait_for(child));
    return 0;
}
