/*
 * summary: getdents lists each entry once with its type, across small buffers, deletions and rewinds
 * calls: getdents64 openat mkdir unlink lseek fchdir getcwd
 */
#include "apus.h"
#include "entries.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

static int seen[300];

/* Reads everything with a buffer of that size; the result is the number of entries or -1. */
static long list(int fd, size_t size, int remove) {
    static char buffer[65536];
    long total = 0;
    memset(seen, 0, sizeof seen);
    for (;;) {
        long n = syscall(SYS_getdents64, fd, buffer, size);
        if (n <= 0) return n < 0 ? -1 : total;
        for (long at = 0; at < n; total++) {
            struct entry *entry = (struct entry *)(buffer + at);
            at += entry->length;
            int index = -1;
            if (sscanf(entry->name, "file%d", &index) != 1 || index < 0 || index >= 300) continue;
            seen[index]++;
            if (remove) must("unlinkat", unlinkat(fd, entry->name, 0));
        }
    }
}

static int once(void) {
    int count = 0;
    for (int i = 0; i < 300; i++) count += seen[i] == 1;
    return count;
}

int main(void) {
    char name[64], directory[512];
    must("mkdir", mkdir("dir", 0755));
    int fd = must("open", open("dir", O_RDONLY | O_DIRECTORY));
    number("an empty directory's entries", list(fd, 65536, 0));
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "dir/file%d", i);
        close(must("open", open(name, O_WRONLY | O_CREAT, 0644)));
    }
    result("at the end", list(fd, 65536, 0) >= 0 ? 0 : -1);
    must("lseek", lseek(fd, 0, SEEK_SET));
    number("entries after a rewind", list(fd, 65536, 0));
    number("seen once", once());
    must("lseek", lseek(fd, 0, SEEK_SET));
    number("with a buffer of 100 bytes", list(fd, 100, 0));
    number("seen once", once());
    must("lseek", lseek(fd, 0, SEEK_SET));
    result("with a buffer of 10 bytes", list(fd, 10, 0));
    result("to a wild buffer", syscall(SYS_getdents64, fd, WILD, 1000));
    must("lseek", lseek(fd, 0, SEEK_SET));
    list(fd, 500, 1);
    number("removed while listing, seen once", once());
    must("lseek", lseek(fd, 0, SEEK_SET));
    number("left", list(fd, 65536, 0));

    must("mkdir", mkdir("dir/sub", 0755));
    must("symlink", symlink("x", "dir/link"));
    must("mkfifo", mkfifo("dir/fifo", 0600));
    DIR *stream = opendir("dir");
    int types[16] = {0};
    for (struct dirent *entry; (entry = readdir(stream));) types[entry->d_type & 15]++;
    closedir(stream);
    line("directories %d, links %d, pipes %d", types[DT_DIR], types[DT_LNK], types[DT_FIFO]);
    int file = must("open", open("dir/file", O_RDWR | O_CREAT, 0644));
    result("getdents of a file", syscall(SYS_getdents64, file, directory, 100));
    result("of a closed descriptor", syscall(SYS_getdents64, 99, directory, 100));
    must("rmdir", rmdir("dir/sub"));
    result("fchdir to a file", fchdir(file));
    result("fchdir", fchdir(fd));
    must("getcwd", syscall(SYS_getcwd, directory, sizeof directory));
    char *end = strrchr(directory, '/');
    text("the directory's name", end ? end : "?");
    result("getcwd into 2 bytes", syscall(SYS_getcwd, directory, 2));
    must("rename", rename("../dir", "../renamed"));
    must("getcwd", syscall(SYS_getcwd, directory, sizeof directory));
    end = strrchr(directory, '/');
    text("after a rename", end ? end : "?");
    result("chdir to a file", chdir("file"));
    result("chdir to a missing one", chdir("missing"));
    return 0;
}
