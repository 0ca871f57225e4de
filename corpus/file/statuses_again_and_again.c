/*
 * summary: what stands at a name, asked again and again, after everything that can change it
 * calls: stat lstat newfstatat chmod rename link unlink symlink mkdir rmdir truncate utimensat chdir fchdir dup2 close openat
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>
#include <sys/stat.h>

static struct stat status;

/* What the last of many equal questions gives: all of them must. */
static int ask(int directory, const char *name, int flags) {
    int first = 0;
    struct stat before = {0};
    for (int i = 0; i < TIMES; i++) {
        memset(&status, 0xee, sizeof status);
        int got = fstatat(directory, name, &status, flags) ? -errno : 0;
        if (i && (got != first || (!got && memcmp(&before, &status, sizeof status)))) line("%s: differs at %d", name, i);
        first = got;
        before = status;
    }
    return first;
}

static int at(const char *name) { return ask(AT_FDCWD, name, 0); }

static void changes(void) {
    line("-- changes");
    result("nothing", at("file"));
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0644));
    fact("made", at("file") == 0 && S_ISREG(status.st_mode) && status.st_size == 0);
    must("write", write(fd, "0123456789", 10));
    fact("written", at("file") == 0 && status.st_size == 10);
    must("ftruncate", ftruncate(fd, 3));
    fact("cut", at("file") == 0 && status.st_size == 3);
    must("truncate", truncate("file", 5));
    fact("longer", at("file") == 0 && status.st_size == 5);
    must("chmod", chmod("file", 0600));
    fact("closed to others", at("file") == 0 && (status.st_mode & 0777) == 0600);
    must("fchmod", fchmod(fd, 0640));
    fact("open to some", at("file") == 0 && (status.st_mode & 0777) == 0640);
    must("link", link("file", "other"));
    fact("two names", at("file") == 0 && status.st_nlink == 2 && at("other") == 0 && status.st_nlink == 2);
    must("unlink", unlink("other"));
    fact("one", at("file") == 0 && status.st_nlink == 1 && at("other") == -ENOENT);
    struct timespec times[2] = {{100, 7}, {200, 8}};
    must("utimensat", utimensat(AT_FDCWD, "file", times, 0));
    fact("times", at("file") == 0 && status.st_atim.tv_sec == 100 && status.st_mtim.tv_sec == 200);
    char byte;
    must("read", pread(fd, &byte, 1, 0));
    fact("read since", at("file") == 0 && status.st_atim.tv_sec > 200 && status.st_mtim.tv_sec == 200);
    must("rename", rename("file", "moved"));
    fact("moved", at("file") == -ENOENT && at("moved") == 0 && status.st_size == 5);
    must("symlink", symlink("moved", "file"));
    fact("a link", at("file") == 0 && status.st_size == 5 && ask(AT_FDCWD, "file", AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode));
    must("unlink", unlink("moved"));
    fact("to nothing", at("file") == -ENOENT && ask(AT_FDCWD, "file", AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode));
    must("unlink", unlink("file"));
    fact("gone", at("file") == -ENOENT && ask(AT_FDCWD, "file", AT_SYMLINK_NOFOLLOW) == -ENOENT);
    must("mkdir", mkdir("file", 0700));
    fact("a directory", at("file") == 0 && S_ISDIR(status.st_mode) && at("file/in") == -ENOENT);
    int in = must("open", open("file/in", O_WRONLY | O_CREAT, 0600));
    fact("something in it", at("file/in") == 0 && at("./file/../file/in") == 0);
    close(in), close(fd);
    must("rename", rename("file", "else"));
    fact("moved", at("file/in") == -ENOENT && at("else/in") == 0);
    must("unlink", unlink("else/in"));
    must("rmdir", rmdir("else"));
    fact("none", at("else/in") == -ENOENT && at("else") == -ENOENT);
}

static void places(void) {
    line("-- places");
    must("mkdir", mkdir("a", 0700)), must("mkdir", mkdir("b", 0700));
    close(must("open", open("a/name", O_WRONLY | O_CREAT, 0600)));
    int a = must("open", open("a", O_RDONLY | O_DIRECTORY)), b = must("open", open("b", O_RDONLY | O_DIRECTORY));
    fact("in one of two", ask(a, "name", 0) == 0 && ask(b, "name", 0) == -ENOENT);
    int number = must("dup", dup(a));
    fact("in a copy", ask(number, "name", 0) == 0);
    must("dup2", dup2(b, number));
    fact("in another", ask(number, "name", 0) == -ENOENT);
    close(number);
    fact("closed", ask(number, "name", 0) == -EBADF);
    fact("a copy again", fcntl(a, F_DUPFD, number) == number && ask(number, "name", 0) == 0);
    close(number);
    fact("another again", fcntl(b, F_DUPFD, number) == number && ask(number, "name", 0) == -ENOENT);
    close(number);
    fact("opened there", open("a", O_RDONLY | O_DIRECTORY) == number && ask(number, "name", 0) == 0);
    close(number);
    fact("a file there", open("a/name", O_RDONLY) == number && ask(number, "name", 0) == -ENOTDIR);
    close(number);
    must("chdir", chdir("a"));
    fact("here", at("name") == 0 && at("../a/name") == 0 && at("../b/name") == -ENOENT);
    must("fchdir", fchdir(b));
    fact("not here", at("name") == -ENOENT && at("../a/name") == 0);
    must("chdir", chdir(".."));
    result("not a flag", ask(a, "name", 0x4000000));
    result("no name", ask(a, "", 0));
    fact("itself", ask(a, "", AT_EMPTY_PATH) == 0 && S_ISDIR(status.st_mode));
    result("no directory", ask(-1, "name", 0));
    result("under a file", at("a/name/more"));
    fact("with a slash", at("a/") == 0 && at("a/name/") == -ENOTDIR);
    struct stat *wild = WILD;
    for (int i = 0; i < TIMES; i++)
        if (syscall(SYS_stat, "a", wild) == 0 || errno != EFAULT) line("no fault");
    for (int i = 0; i < TIMES; i++)
        if (syscall(SYS_lstat, "none", wild) == 0 || errno != ENOENT) line("not missing");
    char name[80];
    for (int length = 60; length < 80; length++) {
        memset(name, 'n', sizeof name);
        name[length] = 0;
        close(must("open", openat(a, name, O_WRONLY | O_CREAT, 0600)));
        if (ask(a, name, 0) || !S_ISREG(status.st_mode)) line("length %d", length);
        must("unlinkat", unlinkat(a, name, 0));
        if (ask(a, name, 0) != -ENOENT) line("length %d stays", length);
    }
    must("unlink", unlink("a/name")), must("rmdir", rmdir("a"));
    fact("in what is no more", ask(a, "name", 0) == -ENOENT);
    must("rmdir", rmdir("b")), close(a), close(b);
}

/* The entries of a directory, one after the other, as the programs do that walk through trees. */
static void walks(void) {
    line("-- walks");
    must("mkdir", mkdir("many", 0700));
    char name[32];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "many/entry%d", i);
        if (i % 10 == 3) must("mkdir", mkdir(name, 0700));
        else if (i % 10 == 5) must("symlink", symlink("entry0", name));
        else close(must("open", open(name, O_WRONLY | O_CREAT, 0600)));
    }
    int fd = must("open", open("many", O_RDONLY | O_DIRECTORY)), wrong = 0, seen = 0;
    for (int round = 0; round < 3; round++) {
        static char list[65536];
        lseek(fd, 0, SEEK_SET);
        long size = must("getdents64", syscall(SYS_getdents64, fd, list, sizeof list));
        for (long i = 0; i < size;) {
            struct { unsigned long inode; long next; unsigned short length; unsigned char type; char name[]; } *entry = (void *)(list + i);
            i += entry->length;
            if (entry->name[0] == '.') continue;
            int number = atoi(entry->name + 5), expected = number % 10 == 3 ? S_IFDIR : number % 10 == 5 ? S_IFLNK : S_IFREG;
            /* Changed just before it is asked for. */
            int changes = round == 1 && number % 7 == 0 && expected == S_IFREG;
            int leaves = round == 2 && number % 11 == 0 && expected == S_IFREG && number;
            snprintf(name, sizeof name, "many/%s", entry->name);
            if (changes) must("chmod", chmod(name, 0444));
            if (leaves) must("unlink", unlink(name));
            int got = fstatat(fd, entry->name, &status, round == 2 ? AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT : AT_SYMLINK_NOFOLLOW);
            if (leaves) { if (got == 0 || errno != ENOENT) wrong++; continue; }
            if (got || (status.st_mode & S_IFMT) != expected || status.st_ino != entry->inode) wrong++;
            if (expected == S_IFREG && (status.st_mode & 0777) != ((changes || (round == 2 && number % 7 == 0)) ? 0444 : 0600)) wrong++;
            got = fstatat(fd, entry->name, &status, 0);
            if (got || S_ISLNK(status.st_mode)) wrong++;
            seen++;
        }
    }
    line("wrong %d of %d", wrong, seen);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "many/entry%d", i);
        if (i % 10 == 3) rmdir(name); else unlink(name);
    }
    close(fd);
    must("rmdir", rmdir("many"));
}

int main(void) {
    changes();
    places();
    close(must("open", open("file", O_WRONLY | O_CREAT, 0600)));
    heat_descriptors();
    must("unlink", unlink("file"));
    changes();
    places();
    walks();
    walks();
    return 0;
}
