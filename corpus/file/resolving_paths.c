/*
 * summary: dots, slashes, links in the middle, 40 links at most, openat2's limits, chroot
 * calls: openat newfstatat openat2 chroot chdir symlink
 * file: a/b/c/file 644 found
 */
#include "apus.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

struct how {
    uint64_t flags, mode, resolve, more;
};

static void find(const char *path) {
    struct stat status;
    line("%s: %s", path, stat(path, &status) == 0 ? "there" : errno_name(errno));
}

static void beneath(const char *what, int fd, const char *path, uint64_t resolve) {
    struct how how = {.flags = O_RDONLY, .resolve = resolve};
    outcome(what, syscall(437, fd, path, &how, 24));
}

static void in_chroot(void) {
    must("chdir", chdir("a"));
    must("chroot", chroot("."));
    must("chdir", chdir("/"));
    find("/b/c/file");
    find("/../b/c/file");
    find("../../b/c/file");
    find("/absolute");
    find("/bin");
    char target[64];
    result("getcwd", syscall(SYS_getcwd, target, sizeof target));
    must("chdir", chdir("b"));
    must("chroot", chroot("c"));
    find("/file");
    find("../b");
    result("the working directory is outside now", syscall(SYS_getcwd, target, sizeof target) > 0 ? 0 : -1);
    bytes("it is said to be", target, 13);
}

int main(void) {
    char name[64], target[64];
    must("symlink", symlink("a/b", "to-b"));
    must("symlink", symlink("../c", "a/b/up"));
    must("symlink", symlink("c", "a/b/to-c"));
    must("symlink", symlink("/b/c", "a/absolute"));
    must("symlink", symlink("file", "a/b/c/trailing"));
    find("a//b///c/./file");
    find("./a/../a/b/c/file");
    find("to-b/c/file");
    find("to-b/../b/c/file");
    find("to-b/to-c/file");
    find("a/b/up");
    find("a/b/c/file/..");
    find("a/b/c/file/.");
    find("a/b/c/file/");
    find("a/b/c/");
    find("a/b/to-c/");
    find("missing/../a");
    find("/../../../proc/self/stat");
    find("a/b/c/trailing/");
    must("symlink", symlink("a/b/c/file", "link0"));
    for (int i = 1; i <= 42; i++) {
        snprintf(name, sizeof name, "link%d", i);
        snprintf(target, sizeof target, "link%d", i - 1);
        must("symlink", symlink(target, name));
    }
    find("link39");
    find("link40");

    int fd = must("open", open("a", O_RDONLY | O_DIRECTORY));
    beneath("openat2", fd, "b/c/file", 0);
    beneath("RESOLVE_BENEATH", fd, "b/../b/c/file", 8);
    beneath("RESOLVE_BENEATH, out by dots", fd, "../a/b", 8);
    beneath("RESOLVE_BENEATH, an absolute link", fd, "absolute/file", 8);
    beneath("RESOLVE_IN_ROOT, an absolute link", fd, "absolute/file", 16);
    beneath("RESOLVE_IN_ROOT, dots", fd, "../../b/c/file", 16);
    beneath("RESOLVE_NO_SYMLINKS", fd, "b/to-c/file", 4);
    beneath("RESOLVE_NO_SYMLINKS without any", fd, "b/c/file", 4);
    beneath("RESOLVE_NO_MAGICLINKS", -1, "/proc/self/exe", 2);
    beneath("an unknown resolve flag", fd, "b", 0x100);
    beneath("both of the exclusive ones", fd, "b", 24);
    struct how how = {.flags = O_RDONLY, .more = 1};
    result("openat2, a larger structure that is not zero", syscall(437, fd, "b", &how, 32));
    result("too small a structure", syscall(437, fd, "b", &how, 16));
    how = (struct how){.flags = O_RDONLY, .mode = 0644};
    result("a mode without O_CREAT", syscall(437, fd, "b", &how, 24));
    how = (struct how){.flags = 1ull << 40};
    result("an unknown flag", syscall(437, fd, "b", &how, 24));
    if (geteuid() == 0) wait_status("in a chroot", in_child(in_chroot));
    result("chroot to a file", chroot("a/b/c/file"));
    result("chroot to a missing place", chroot("missing"));
    return 0;
}
