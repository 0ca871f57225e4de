/*
 * summary: stat, lstat, fstat, fstatat and statx agree on types, sizes, links and modes, and on errnos
 * calls: newfstatat fstat statx mknodat
 * file: five 640 12345
 * file: dir/a 644 a
 */
#include "apus.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct extended {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, spare;
    uint64_t inode, size, blocks, attributes_mask;
    struct { int64_t seconds; uint32_t nanoseconds; int32_t spare; } access, birth, change, modification;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t more[14];
};

static const char *type(unsigned mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "link";
    case S_IFCHR: return "character device";
    case S_IFIFO: return "pipe";
    case S_IFSOCK: return "socket";
    default: return "?";
    }
}

static void show(const char *path) {
    struct stat status;
    struct extended extended;
    if (lstat(path, &status) != 0) {
        result(path, -1);
        return;
    }
    // The mode of a device is whatever the administrator of this machine gave it.
    if (S_ISCHR(status.st_mode)) line("%s: %s", path, type(status.st_mode));
    else line("%s: %s, mode %o", path, type(status.st_mode), status.st_mode & 07777);
    if (!S_ISDIR(status.st_mode) && !S_ISCHR(status.st_mode)) number("  size", status.st_size);
    must("statx", syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0x7ff, &extended));
    fact("  statx agrees", extended.mode == status.st_mode && extended.size == (uint64_t)status.st_size &&
                               extended.inode == status.st_ino && extended.links == status.st_nlink &&
                               extended.uid == status.st_uid && extended.blocks == (uint64_t)status.st_blocks &&
                               extended.modification.seconds == status.st_mtim.tv_sec &&
                               extended.dev_major == major(status.st_dev));
    fact("  the basic fields are all there", (extended.mask & 0x7ff) == 0x7ff);
}

int main(void) {
    struct stat status, other;
    struct extended extended;
    int ends[2], pair[2];
    must("pipe", pipe(ends));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must("symlink", symlink("five", "link"));
    must("mkfifo", mkfifo("fifo", 0600));
    must("link", link("five", "hard"));
    must("chmod", chmod("dir", 01755));
    static const char *const paths[] = {"five",      "dir",     "link",  "fifo",
                                        "/dev/null", "missing", "five/x"};
    for (size_t i = 0; i < COUNT(paths); i++) show(paths[i]);
    must("stat", stat("link", &status));
    must("stat", stat("hard", &other));
    fact("links lead to one inode", status.st_ino == other.st_ino && status.st_dev == other.st_dev);
    number("links", status.st_nlink);
    must("stat", stat("dir", &status));
    must("stat", stat("/dev/null", &other));
    line("/dev/null is device %d:%d", major(other.st_rdev), minor(other.st_rdev));
    must("fstat", fstat(ends[0], &status));
    text("a pipe", type(status.st_mode));
    must("fstat", fstat(pair[0], &status));
    text("a socket", type(status.st_mode));

    int fd = must("open", open("five", O_RDONLY));
    result("fstat of a closed descriptor", fstat(99, &status));
    result("stat of a wild path", stat(WILD, &status));
    result("stat to a wild buffer", syscall(SYS_stat, "five", WILD));
    result("fstatat with AT_EMPTY_PATH", fstatat(fd, "", &status, 0x1000));
    result("without it", fstatat(fd, "", &status, 0));
    result("an unknown flag", syscall(SYS_newfstatat, AT_FDCWD, "five", &status, 0x40000000));
    result("statx with an unknown flag", syscall(SYS_statx, AT_FDCWD, "five", 0x40000000, 0x7ff, &extended));
    result("with both ways of synchronising", syscall(SYS_statx, AT_FDCWD, "five", 0x6000, 0x7ff, &extended));
    result("with the reserved bit in the mask", syscall(SYS_statx, AT_FDCWD, "five", 0, 0x80000000u, &extended));
    result("of a descriptor", syscall(SYS_statx, fd, "", 0x1000, 0x7ff, &extended));
    result("to a wild buffer", syscall(SYS_statx, fd, "", 0x1000, 0x7ff, WILD));
    return 0;
}
