/*
 * summary: after very many files were opened: a file looked at again by its name, and a directory read to its end
 * calls: newfstatat openat getdents64 lseek close rename chdir rmdir
 */
#include "apus.h"
#include "hot.h"
#include <fcntl.h>
#include <sys/stat.h>

static ino_t at(int directory, const char *name) {
    struct stat status;
    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) ? 0 : status.st_ino;
}

static void names(void) {
    line("-- names");
    struct stat status;
    int here = must("open", open(".", O_RDONLY | O_DIRECTORY)), other = must("open", open("directory", O_RDONLY | O_DIRECTORY)), fd;
    must("symlink", symlink("file", "link"));
    fd = must("open", openat(here, "file", O_RDONLY | O_NOFOLLOW));
    fact("the same by its name", at(here, "file") && at(here, "file") == (fstat(fd, &status), status.st_ino));
    fd = (close(fd), must("open", openat(here, "file", O_RDONLY | O_NOFOLLOW)));
    fact("not by another", at(here, "link") != status.st_ino && at(here, "fil") == 0 && at(here, "filer") == 0);
    fd = (close(fd), must("open", openat(here, "file", O_RDONLY | O_NOFOLLOW)));
    const char *longer = "a name that is longer than a few words of a call";
    close(must("open", open(longer, O_RDWR | O_CREAT, 0644)));
    longer = "a name of more than two words", close(must("open", open(longer, O_RDWR | O_CREAT, 0644)));
    ino_t number = at(here, longer);
    close(must("open", openat(here, longer, O_RDONLY | O_NOFOLLOW)));
    fd = (close(fd), must("open", openat(here, "file", O_RDONLY | O_NOFOLLOW)));
    fact("nor by the one before", at(here, longer) == number && number != at(here, "file"));
    fd = (close(fd), must("open", openat(here, "file", O_RDONLY | O_NOFOLLOW)));
    fact("nor elsewhere", at(other, "file") == 0);
    fd = (close(fd), must("open", openat(here, "file", O_RDONLY | O_NOFOLLOW)));
    close(here);
    fact("nor where nothing is", at(here, "file") == 0 && errno == EBADF);
    fact("nor in what takes its place", fcntl(other, F_DUPFD, here) == here && at(here, "file") == 0 && errno == ENOENT);
    close(here);
    fd = (close(fd), must("open", openat(AT_FDCWD, "file", O_RDONLY | O_NOFOLLOW)));
    fact("here", at(AT_FDCWD, "file") == status.st_ino);
    fd = (close(fd), must("open", openat(AT_FDCWD, "file", O_RDONLY | O_NOFOLLOW)));
    must("chdir", chdir("directory"));
    fact("not there", at(AT_FDCWD, "file") == 0);
    must("chdir", chdir(".."));
    fd = (close(fd), must("open", open("file", O_RDONLY | O_NOFOLLOW)));
    must("rename", rename("file", "moved"));
    fact("not when it has moved", at(AT_FDCWD, "file") == 0 && at(AT_FDCWD, "moved") == status.st_ino);
    must("rename", rename("moved", "file"));
    fd = (close(fd), must("open", open("link", O_RDONLY)));
    fact("a link is itself", at(AT_FDCWD, "link") != status.st_ino);
    result("a name that is not there", syscall(SYS_newfstatat, AT_FDCWD, WILD, &status, AT_SYMLINK_NOFOLLOW));
    close(fd), close(other), unlink("link");
}

static void directories(void) {
    line("-- directories");
    int fd = must("open", open("directory", O_RDONLY | O_DIRECTORY));
    fact("entries", syscall(SYS_getdents64, fd, data, sizeof data) > 0);
    result("the end", syscall(SYS_getdents64, fd, data, sizeof data));
    result("the end", syscall(SYS_getdents64, fd, data, sizeof data));
    must("lseek", lseek(fd, 0, SEEK_SET));
    fact("again", syscall(SYS_getdents64, fd, data, sizeof data) > 0);
    close(fd);
    result("closed", syscall(SYS_getdents64, fd, data, sizeof data));
    fd = must("open", open("directory", O_RDONLY | O_DIRECTORY));
    fact("entries", syscall(SYS_getdents64, fd, data, sizeof data) > 0);
    must("rmdir", rmdir("directory"));
    result("deleted", syscall(SYS_getdents64, fd, data, sizeof data));
    close(fd);
    must("mkdir", mkdir("directory", 0700));
}

int main(void) {
    int fd = must("open", open("file", O_RDWR | O_CREAT, 0644));
    close(fd);
    must("mkdir", mkdir("directory", 0700));
    heat_descriptors();
    names();
    heat_descriptors();
    directories();
    return 0;
}
