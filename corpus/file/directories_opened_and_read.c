/*
 * summary: directories that are opened and read again and again, and what may happen between the two
 * calls: openat getdents64 lseek dup fcntl close unlink rmdir mkdir rename fchdir fork
 */
#include "apus.h"
#include "entries.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

static char buffer[65536];
static int has_new;

/* One call: how many entries it gives, or -errno. */
static long take(int fd, size_t size) {
    long n = syscall(SYS_getdents64, fd, buffer, size), count = 0;
    if (n < 0) return -errno;
    for (long at = 0; at < n; count++) {
        struct entry *entry = (struct entry *)(buffer + at);
        at += entry->length;
        if (!strcmp(entry->name, "new")) has_new++;
    }
    return count;
}

/* To the end. */
static long list(int fd, size_t size) {
    has_new = 0;
    for (long total = 0;;) {
        long n = take(fd, size);
        if (n <= 0) return n < 0 ? n : total;
        total += n;
    }
}

static int opened(const char *name) { return must("open", open(name, O_RDONLY | O_DIRECTORY)); }

/* So that whoever may foresee it does. */
static void heat(void) {
    for (int i = 0; i < 40; i++) {
        int fd = opened("dir");
        fcntl(fd, F_GETFL);
        list(fd, 32768);
        close(fd);
    }
}

static void make(const char *name) { close(must("make", open(name, O_WRONLY | O_CREAT, 0644))); }

static void changes(void) {
    line("-- changes after the opening");
    heat();
    int fd = opened("dir");
    make("dir/new");
    number("entries with one more", list(fd, 32768));
    number("of them new", has_new);
    close(fd);
    heat();
    fd = opened("dir");
    must("unlink", unlink("dir/new"));
    number("entries with one less", list(fd, 32768));
    number("of them new", has_new);
    close(fd);
    heat();
    fd = opened("dir");
    must("rename", rename("dir/one", "dir/new"));
    number("entries after a rename", list(fd, 32768));
    number("of them new", has_new);
    must("rename", rename("dir/new", "dir/one"));
    close(fd);
    must("mkdir", mkdir("dir/below", 0755));
    heat();
    fd = opened("dir/below");
    must("rmdir", rmdir("dir/below"));
    number("entries of what was removed", list(fd, 32768));
    close(fd);
    heat();
    fd = opened("dir");
    number("all but the end", take(fd, 32768));
    make("dir/new");
    must("unlink", unlink("dir/new"));
    number("the end", take(fd, 32768));
    close(fd);
}

static void positions(void) {
    line("-- positions");
    heat();
    int fd = opened("dir");
    number("position before", lseek(fd, 0, SEEK_CUR));
    number("entries", list(fd, 32768));
    number("once more", list(fd, 32768));
    must("lseek", lseek(fd, 0, SEEK_SET));
    number("from the beginning", list(fd, 32768));
    close(fd);
    heat();
    fd = opened("dir");
    number("in pieces of 100 bytes", list(fd, 100));
    close(fd);
    heat();
    fd = opened("dir");
    number("too little room", take(fd, 20));
    number("then enough", list(fd, 32768));
    close(fd);
    heat();
    fd = opened("dir");
    number("nowhere", syscall(SYS_getdents64, fd, WILD, 32768) < 0 ? -errno : 0);
    number("then somewhere", list(fd, 32768));
    close(fd);
}

static void numbers(void) {
    line("-- other numbers for it");
    heat();
    int fd = opened("dir"), copy = must("dup", fcntl(fd, F_DUPFD_CLOEXEC, 3));
    number("by the copy", list(copy, 32768));
    number("and by the first", list(fd, 32768));
    close(fd);
    close(copy);
    heat();
    fd = opened("dir"), copy = must("dup", fcntl(fd, F_DUPFD_CLOEXEC, 3));
    number("by the first", take(fd, 32768));
    close(fd);
    number("and by the copy", list(copy, 32768));
    must("lseek", lseek(copy, 0, SEEK_SET));
    number("from the beginning", list(copy, 32768));
    close(copy);
    heat();
    fd = opened("dir");
    close(fd);
    number("closed", take(fd, 32768));
    heat();
    fd = opened("dir");
    int other = opened("other");
    number("the first of two", list(fd, 32768));
    number("the second of two", list(other, 32768));
    close(fd);
    close(other);
    heat();
    fd = opened("dir");
    close(fd);
    fd = opened("other");
    number("another one by the same number", list(fd, 32768));
    close(fd);
    heat();
    fd = opened("dir");
    copy = must("dup2", dup2(opened("other"), fd));
    number("another one put there", list(fd, 32768));
    close(copy);
    close(copy + 1);
    heat();
    fd = opened("dir");
    must("fchdir", fchdir(fd));
    number("of where we are", list(fd, 32768));
    close(fd);
    must("chdir", chdir(".."));
}

/* A child has the same position. */
static void children(void) {
    line("-- children");
    for (int reads = 0; reads < 2; reads++) {
        heat();
        int fd = opened("dir"), status;
        if (reads) number("before the child", take(fd, 32768));
        pid_t child = must("fork", fork());
        if (child == 0) _exit((int)list(fd, 32768));
        must("waitpid", waitpid(child, &status, 0));
        number("the child's", WEXITSTATUS(status));
        number("the parent's after it", list(fd, 32768));
        close(fd);
    }
}

int main(void) {
    must("mkdir", mkdir("dir", 0755));
    must("mkdir", mkdir("other", 0755));
    make("dir/one");
    make("dir/two");
    make("other/three");
    changes();
    positions();
    numbers();
    children();
    int proc = opened("/proc/self/fd");
    long before = list(proc, 32768);
    close(proc);
    heat();
    proc = opened("/proc/self/fd");
    int more = opened("/");
    number("more in /proc", list(proc, 32768) - before);
    close(more);
    close(proc);
    return 0;
}
