/*
 * summary: an unlinked file lives while it is open, mapped or a working directory, and can be linked back in
 * calls: unlink fstat linkat rmdir getcwd chdir mkdir
 * file: file 644 still here
 * file: reborn 644 linked again
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(void) {
    char data[64], path[64], target[512] = "";
    struct stat status;
    int fd = must("open", open("file", O_RDWR));
    char *mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    must("unlink", unlink("file"));
    result("open by name", open("file", O_RDONLY));
    must("fstat", fstat(fd, &status));
    number("links", status.st_nlink);
    number("size", status.st_size);
    bytes("read", data, read(fd, data, sizeof data));
    result("write", write(fd, " and more", 9));
    bytes("mapped", mapped, 19);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    long n = must("readlink", readlink(path, target, sizeof target - 1));
    fact("its link in /proc ends in (deleted)", n > 10 && strcmp(target + n - 10, " (deleted)") == 0);
    int again = open(path, O_RDONLY);
    outcome("reopened through /proc", again);
    bytes("read", data, read(again, data, sizeof data));
    int replacement = must("open", open("file", O_RDWR | O_CREAT | O_EXCL, 0644));
    must("fstat", fstat(replacement, &status));
    number("a new file of that name has the size", status.st_size);
    must("close", close(fd));
    must("close", close(again));
    bytes("only mapped now", mapped, 10);

    fd = must("open", open("reborn", O_RDONLY));
    must("link", link("reborn", "second"));
    must("unlink", unlink("reborn"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int follow = AT_SYMLINK_FOLLOW;
    result("linkat through /proc of a file with a name left", linkat(AT_FDCWD, path, AT_FDCWD, "third", follow));
    must("fstat", fstat(fd, &status));
    number("links", status.st_nlink);
    must("unlink", unlink("second"));
    must("unlink", unlink("third"));
    result("of a file without one", linkat(AT_FDCWD, path, AT_FDCWD, "fourth", follow));

    must("mkdir", mkdir("dir", 0755));
    int directory = must("open", open("dir", O_RDONLY));
    must("chdir", chdir("dir"));
    result("rmdir of the working directory", rmdir("../dir"));
    result("getcwd there", syscall(SYS_getcwd, target, sizeof target));
    result("a new file there", open("x", O_RDWR | O_CREAT, 0644));
    result("mkdir there", mkdir("y", 0755));
    result("open of the dot", open(".", O_RDONLY) >= 0 ? 0 : -1);
    result("and of dot-dot", open("..", O_RDONLY) >= 0 ? 0 : -1);
    result("openat below it", openat(directory, "x", O_RDWR | O_CREAT, 0644));
    result("fchdir to it", fchdir(directory));
    result("chdir to dot-dot", chdir(".."));
    return 0;
}
