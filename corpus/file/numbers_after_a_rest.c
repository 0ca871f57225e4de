/*
 * summary: descriptors between long rests, in which the program makes other calls only
 * calls: fcntl dup2 close openat fork
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int base;

/* What a child finds at the numbers. */
static void show(int round, const char *what) {
    fflush(stdout);
    pid_t child = must("fork", fork());
    if (child == 0) {
        char text[200];
        int used = 0;
        for (int n = base; n < base + 8; n++) {
            int flags = fcntl(n, F_GETFD);
            if (flags >= 0) used += snprintf(text + used, sizeof text - used, " +%d%s", n - base, flags ? " closes" : "");
        }
        text[used] = 0;
        line("round %d, %s:%s", round, what, text);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, 0, 0);
}

int main(void) {
    int fd = must("open", open("file", O_WRONLY | O_CREAT, 0600));
    must("write", write(fd, "0123456789", 10));
    close(fd);
    heat_descriptors();
    base = must("open", open("file", O_RDONLY));
    for (int round = 0; round < 3; round++) {
        int others = 0;
        for (int i = 0; i < 3000; i++) others += syscall(1000) == -1 && errno == ENOSYS;
        fact("the other calls fail", others == 3000);
        fact("a file is mapped privately", mmap(0, 4096, PROT_READ, MAP_PRIVATE, base, 0) != MAP_FAILED);
        for (int i = 0; i < 60; i++) {
            int copy = fcntl(base, F_DUPFD_CLOEXEC, base + 1 + i % 3);
            if (i % 20 != round) close(copy);
        }
        show(round, "copies");
        for (int n = base + 1; n < base + 8; n++) close(n);
        fcntl(base, F_SETFD, round % 2 ? FD_CLOEXEC : 0);
        show(round, "closed");
    }
    return 0;
}
