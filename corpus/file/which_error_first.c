/*
 * summary: of several errors Linux tells one; a file that is sent to itself moves on once
 * calls: faccessat utimensat read pread64 readv preadv setxattr sendfile
 * file: closed 600 0123456789
 * file: dir/inner 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>

static void attributes(void) {
    char value[8];
    must("setgroups", setgroups(0, NULL));
    must("setgid", setgid(65534));
    must("setuid", setuid(65534));
    result("setxattr in no namespace, not allowed to write", setxattr("closed", "odd.name", "v", 1, 0));
    result("getxattr, not allowed to read", getxattr("closed", "odd.name", value, sizeof value));
    result("removexattr", removexattr("closed", "odd.name"));
}

int main(void) {
    struct timespec wrong[2] = {{1, 1000000000}, {1, 0}}, omitted[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    char bytes[16];
    struct iovec none = {bytes, 0};
    result("access of the empty path from a closed descriptor", faccessat(99, "", F_OK, 0));
    result("access of a path from it", faccessat(99, "x", F_OK, 0));
    result("an impossible time for a closed descriptor", syscall(SYS_utimensat, 99, NULL, wrong, 0));
    result("for a missing file", utimensat(AT_FDCWD, "missing", wrong, 0));
    result("for a file", utimensat(AT_FDCWD, "closed", wrong, 0));
    result("no time for a missing file", utimensat(AT_FDCWD, "missing", omitted, 0));
    int dir = must("open", open("dir", O_RDONLY));
    result("read of nothing from a directory", read(dir, bytes, 0));
    result("pread of nothing", pread(dir, bytes, 0, 0));
    result("readv of nothing", readv(dir, &none, 1));
    result("preadv of no segments", preadv(dir, &none, 0, 0));
    none.iov_len = 1;
    result("readv of something", readv(dir, &none, 1));

    int fd = must("open", open("closed", O_RDWR));
    result("sendfile to itself", sendfile(fd, fd, NULL, 4));
    number("where it stands", lseek(fd, 0, SEEK_CUR));
    result("the rest", sendfile(fd, fd, NULL, 100));
    number("where it stands", lseek(fd, 0, SEEK_CUR));
    off_t from = 2;
    must("lseek", lseek(fd, 0, SEEK_SET));
    result("sendfile to itself from an offset", sendfile(fd, fd, &from, 3));
    number("where it stands", lseek(fd, 0, SEEK_CUR));
    number("the offset", from);
    result("pread", pread(fd, bytes, 10, 0));
    line("'%.10s'", bytes);
    result("setxattr in no namespace", setxattr("closed", "odd.name", "v", 1, 0));
    if (getuid() == 0) {
        must("chmod", chmod(".", 0755));
        wait_status("another user", in_child(attributes));
    }
    return 0;
}
