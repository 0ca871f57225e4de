/*
 * summary: statfs's shape and known magic numbers, fsync and its relatives
 * calls: statfs fstatfs fsync fdatasync sync_file_range syncfs
 * file: file 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

int main(void) {
    struct statfs one, two;
    struct statvfs third;
    int fd = must("open", open("file", O_RDWR)), ends[2], reader = must("open", open("file", O_RDONLY));
    int path = must("open", open("file", O_PATH));
    must("pipe", pipe(ends));
    result("statfs", statfs("file", &one));
    result("fstatfs", fstatfs(fd, &two));
    fact("they agree", one.f_type == two.f_type && one.f_bsize == two.f_bsize && one.f_namelen == two.f_namelen);
    number("the longest name", one.f_namelen);
    fact("blocks have a size", one.f_bsize > 0);
    fact("free blocks are no more than all", one.f_bfree <= one.f_blocks && one.f_bavail <= one.f_bfree);
    must("statvfs", statvfs("file", &third));
    fact("statvfs agrees", third.f_namemax == (unsigned long)one.f_namelen);
    must("statfs", statfs("/proc", &one));
    line("/proc: %lx", (long)one.f_type);
    must("fstatfs", fstatfs(ends[0], &one));
    line("a pipe: %lx", (long)one.f_type);
    result("an O_PATH descriptor", fstatfs(path, &one));
    result("a missing file", statfs("missing", &one));
    result("below a file", statfs("file/x", &one));
    result("a closed descriptor", fstatfs(99, &one));
    result("a wild path", statfs(WILD, &one));
    result("a wild buffer", syscall(SYS_statfs, "file", WILD));

    result("fsync", fsync(fd));
    result("fdatasync", fdatasync(fd));
    result("fsync of a read-only descriptor", fsync(reader));
    result("fsync of a pipe", fsync(ends[0]));
    result("fdatasync of a closed descriptor", fdatasync(99));
    result("fsync of an O_PATH descriptor", fsync(path));
    result("syncfs of a closed descriptor", syscall(SYS_syncfs, 99));
    result("sync_file_range", syscall(SYS_sync_file_range, fd, 0l, 10l, 7));
    result("with an unknown flag", syscall(SYS_sync_file_range, fd, 0l, 10l, 64));
    result("with a negative offset", syscall(SYS_sync_file_range, fd, -1l, 10l, 7));
    returned("posix_fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
    returned("an unknown advice", posix_fadvise(fd, 0, 0, 77));
    returned("of a pipe", posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL));
    result("readahead", readahead(fd, 0, 10));
    result("readahead of a pipe", readahead(ends[0], 0, 10));
    number("pathconf: the longest name", pathconf("file", _PC_NAME_MAX));
    number("pathconf: a pipe's atomic write", fpathconf(ends[1], _PC_PIPE_BUF));
    return 0;
}
