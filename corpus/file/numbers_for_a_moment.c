/*
 * summary: descriptors that are copied and closed again between two calls that anybody can see
 * calls: fcntl dup close openat fork
 */
#include "apus.h"
#include "hot.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>

static int base;

/* The numbers from `base` on that a child finds, each with where it stands in the file. */
static void show(const char *what) {
    fflush(stdout);
    pid_t child = must("fork", fork());
    if (child == 0) {
        char text[256];
        int used = 0;
        for (int n = base; n < base + 100; n++) {
            if (fcntl(n, F_GETFD) < 0) continue;
            used += snprintf(text + used, sizeof text - used, " +%d%s at %ld", n - base,
                             fcntl(n, F_GETFD) & FD_CLOEXEC ? " closes" : "", (long)lseek(n, 0, SEEK_CUR));
            if (used > 200) break;
        }
        text[used] = 0;
        line("%s:%s", what, text);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, 0, 0);
}

static int size_of_table(void) {
    char text[4096] = "";
    int fd = must("open", open("/proc/self/status", O_RDONLY));
    if (read(fd, text, sizeof text - 1) < 0) return -1;
    close(fd);
    char *at = strstr(text, "FDSize:");
    return at ? atoi(at + 7) : -1;
}

static int at(int position) {
    int fd = must("open", open("file", O_RDONLY));
    lseek(fd, position, SEEK_SET);
    return fd;
}

int main(void) {
    int fd = must("open", open("file", O_WRONLY | O_CREAT, 0600));
    must("write", write(fd, "0123456789", 10));
    close(fd);
    heat_descriptors();
    base = at(0);
    close(base);
    int first = at(1), second = at(2), third;
    fact("in a row", first == base && second == base + 1);
    show("two");
    for (int i = 0; i < 3; i++) {
        third = fcntl(first, F_DUPFD_CLOEXEC, 0);
        close(third);
    }
    show("a copy that has gone");
    /* From one to the next, as who walks down a tree does. */
    third = fcntl(first, F_DUPFD_CLOEXEC, 3);
    close(first);
    int fourth = fcntl(third, F_DUPFD_CLOEXEC, 3);
    close(third);
    show("the copy of a copy");
    number("stands", fourth - base);
    close(fourth);
    fourth = fcntl(second, F_DUPFD, 0);
    number("stands", fourth - base);
    show("another's");
    fcntl(fourth, F_SETFD, FD_CLOEXEC);
    third = fcntl(fourth, F_DUPFD, 0);
    fcntl(third, F_SETFD, FD_CLOEXEC);
    close(fourth);
    show("with its flag");
    close(second);
    close(third);
    show("none");
    /* The same number twice, of two files. */
    first = at(3), second = at(4);
    third = fcntl(first, F_DUPFD, base + 5);
    close(third);
    third = fcntl(second, F_DUPFD, base + 5);
    show("the second");
    close(first);
    first = fcntl(third, F_DUPFD, 0);
    close(third);
    close(second);
    second = fcntl(first, F_DUPFD, base + 5);
    close(first);
    show("by another number");
    close(second);
    int before = size_of_table();
    first = at(5);
    /* Who has started this may have had a large one. */
    close(fcntl(first, F_DUPFD, before + 50));
    fact("the table has grown", size_of_table() > before);
    show("one");
    /* More than anybody waits for. */
    for (int i = 0; i < 100; i++) {
        second = fcntl(first, F_DUPFD, i % 7);
        close(first);
        first = second;
        if (i % 9 == 0) close(fcntl(first, F_DUPFD_CLOEXEC, 60));
    }
    number("stands", first - base);
    show("still");
    return 0;
}
