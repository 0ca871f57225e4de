/*
 * summary: utimensat sets, omits and orders times; writes, reads and renames change what they should
 * calls: utimensat futimesat utime fstat
 * file: file 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

static struct stat status;

static void show(const char *what) {
    must("stat", stat("file", &status));
    line("%s: access %ld.%09ld, modification %ld.%09ld", what, (long)status.st_atim.tv_sec, status.st_atim.tv_nsec,
         (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

static int later(struct timespec a, struct timespec b) {
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec >= b.tv_nsec);
}

int main(void) {
    struct timespec times[2] = {{1000000000, 123456789}, {1234567890, 987654321}};
    int fd = must("open", open("file", O_RDWR));
    result("utimensat", utimensat(AT_FDCWD, "file", times, 0));
    show("both");
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = 5;
    result("the first omitted", utimensat(AT_FDCWD, "file", times, 0));
    show("then");
    times[0] = (struct timespec){0, 0};
    times[1].tv_nsec = UTIME_OMIT;
    result("futimens", futimens(fd, times));
    show("then");
    struct timeval micro[2] = {{7, 7}, {8, 999999}};
    result("utimes", utimes("file", micro));
    show("then");
    struct utimbuf seconds = {100, 200};
    result("utime", utime("file", &seconds));
    show("then");
    times[0].tv_nsec = times[1].tv_nsec = UTIME_OMIT;
    result("both omitted, of a missing file", utimensat(AT_FDCWD, "missing", times, 0));
    times[0].tv_nsec = 1000000000;
    result("too many nanoseconds", utimensat(AT_FDCWD, "file", times, 0));
    micro[0].tv_usec = 1000000;
    result("too many microseconds", utimes("file", micro));
    result("a missing file", utimensat(AT_FDCWD, "missing", NULL, 0));
    result("an unknown flag", utimensat(AT_FDCWD, "file", NULL, 0x1));
    result("a wild time", syscall(SYS_utimensat, AT_FDCWD, "file", WILD, 0));
    result("a null path without a descriptor", syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
    result("a closed descriptor", futimens(99, NULL));

    struct stat before;
    must("stat", stat("file", &before));
    must("write", write(fd, "y", 1));
    must("fstat", fstat(fd, &status));
    fact("write moves the modification time", later(status.st_mtim, before.st_mtim) && status.st_mtim.tv_sec > 200);
    fact("and the change time with it", later(status.st_ctim, before.st_ctim));
    number("not the access time", status.st_atim.tv_sec);
    must("utime", utime("file", &seconds));
    must("chmod", chmod("file", 0600));
    must("rename", rename("file", "other"));
    must("rename", rename("other", "file"));
    show("chmod and rename leave both");
    must("ftruncate", ftruncate(fd, 0));
    must("fstat", fstat(fd, &status));
    fact("ftruncate moves it", status.st_mtim.tv_sec > 200);
    result("times of now", utimensat(AT_FDCWD, "file", NULL, 0));
    must("stat", stat("file", &status));
    fact("are after the creation", later(status.st_atim, before.st_ctim) && later(status.st_mtim, before.st_ctim));
    must("symlink", symlink("missing", "link"));
    times[0] = times[1] = (struct timespec){77, 0};
    result("of a link itself", utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW));
    must("lstat", lstat("link", &status));
    number("its modification time", status.st_mtim.tv_sec);
    return 0;
}
