/*
 * summary: link, symlink, rename, renameat2's flags, unlink and rmdir, on files, directories and links
 * calls: link linkat symlink rename renameat2 unlink unlinkat rmdir readlink
 * file: a 644 content of a
 * file: b 644 content of b
 * file: full/x 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/stat.h>

static long rename2(const char *from, const char *to, unsigned flags) {
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void show(const char *path) {
    char data[64];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        result(path, -1);
        return;
    }
    bytes(path, data, read(fd, data, sizeof data));
    close(fd);
}

int main(void) {
    char target[8];
    must("mkdir", mkdir("empty", 0755));
    must("mkdir", mkdir("other", 0755));
    must("symlink", symlink("a", "to-a"));
    result("link", link("a", "a2"));
    result("link to an existing name", link("a", "b"));
    result("link of a directory", link("empty", "e2"));
    result("link of a missing file", link("missing", "m2"));
    result("link of a symbolic link", link("to-a", "to-a2"));
    result("it is one itself: readlink", readlink("to-a2", target, sizeof target));
    result("linkat AT_SYMLINK_FOLLOW", linkat(AT_FDCWD, "to-a", AT_FDCWD, "a3", AT_SYMLINK_FOLLOW));
    result("it is a file: readlink", readlink("a3", target, sizeof target));
    result("linkat with an unknown flag", linkat(AT_FDCWD, "a", AT_FDCWD, "a4", 0x8));
    result("symlink to an existing name", symlink("x", "b"));
    result("an empty symlink", symlink("", "e"));
    result("readlink, cut", readlink("to-a", target, 1) == 1 && target[0] == 'a' ? 1 : 0);
    result("readlink with no room", readlink("to-a", target, 0));

    result("rename over a file", rename("a2", "b"));
    show("b");
    result("rename of two names of one file", rename("a3", "a"));
    show("a3");
    result("rename of a missing file", rename("missing", "b"));
    result("a file over a directory", rename("a", "empty"));
    result("a directory over a file", rename("empty", "a"));
    result("a directory over an empty one", rename("other", "empty"));
    result("a directory over a full one", rename("empty", "full"));
    result("a directory into itself", rename("full", "full/inner"));
    result("onto a name below a file", rename("a", "b/c"));
    result("of a dot", rename(".", "x"));
    result("of a file with a slash", rename("a/", "x"));
    result("RENAME_NOREPLACE over a file", rename2("a", "b", 1));
    result("RENAME_NOREPLACE to a new name", rename2("a", "new", 1));
    result("RENAME_EXCHANGE", rename2("new", "full", 2));
    show("full");
    show("new/x");
    result("RENAME_EXCHANGE with a missing name", rename2("new", "missing", 2));
    result("both flags", rename2("new", "b", 3));
    result("an unknown flag", rename2("new", "b", 0x10));

    result("unlink of a directory", unlink("new"));
    result("rmdir of a file", rmdir("b"));
    result("rmdir of a full directory", rmdir("new"));
    result("rmdir of a dot", rmdir("new/."));
    result("rmdir of dot-dot", rmdir("new/.."));
    result("rmdir of the root", rmdir("/") == -1 && (errno == EBUSY || errno == ENOTEMPTY) ? 0 : 1);
    result("unlinkat AT_REMOVEDIR of a file", unlinkat(AT_FDCWD, "b", AT_REMOVEDIR));
    result("unlinkat with an unknown flag", unlinkat(AT_FDCWD, "b", 1));
    result("unlinkat AT_REMOVEDIR", unlinkat(AT_FDCWD, "empty", AT_REMOVEDIR));
    result("unlink", unlink("b"));
    result("unlink again", unlink("b"));
    result("unlink of a symbolic link", unlink("to-a"));
    result("unlink of the empty path", unlink(""));
    result("mkdir of an existing name", mkdir("new", 0755));
    result("mkdir below a missing one", mkdir("q/r", 0755));
    result("mkdir with a slash", mkdir("slash/", 0755));
    result("rmdir with a slash", rmdir("slash/"));
    return 0;
}
