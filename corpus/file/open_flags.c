/*
 * summary: open's flags and errnos, O_PATH and O_TMPFILE, and that the lowest free number is taken
 * calls: openat openat2 close dup creat fcntl
 * file: existing 644 contents
 * file: dir/inside 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/stat.h>

static int try(const char *what, const char *path, int flags, int mode) {
    int fd = open(path, flags, mode);
    outcome(what, fd);
    return fd;
}

static void shut(int fd) {
    if (fd >= 0) must("close", close(fd));
}

int main(void) {
    static char longest[5000], component[300];
    struct stat status;
    memset(longest, '/', sizeof longest - 1);
    memset(component, 'c', sizeof component - 1);
    must("symlink", symlink("existing", "link"));
    must("symlink", symlink("loop2", "loop1"));
    must("symlink", symlink("loop1", "loop2"));
    must("symlink", symlink("created-by-link", "dangling"));

    shut(try("missing", "missing", O_RDONLY, 0));
    shut(try("the empty path", "", O_RDONLY, 0));
    shut(try("below a file", "existing/x", O_RDONLY, 0));
    shut(try("a file with a slash", "existing/", O_RDONLY, 0));
    shut(try("a directory for reading", "dir", O_RDONLY, 0));
    shut(try("a directory for writing", "dir", O_RDWR, 0));
    shut(try("a directory, O_CREAT", "dir", O_RDONLY | O_CREAT, 0644));
    shut(try("O_DIRECTORY of a file", "existing", O_RDONLY | O_DIRECTORY, 0));
    shut(try("O_DIRECTORY of a directory", "dir", O_RDONLY | O_DIRECTORY, 0));
    shut(try("O_CREAT | O_EXCL of an existing file", "existing", O_RDWR | O_CREAT | O_EXCL, 0644));
    shut(try("O_CREAT | O_EXCL of a dangling link", "dangling", O_RDWR | O_CREAT | O_EXCL, 0644));
    shut(try("O_CREAT of a dangling link", "dangling", O_RDWR | O_CREAT, 0644));
    result("creates its target", stat("created-by-link", &status));
    shut(try("O_CREAT with a slash at the end", "new/", O_RDWR | O_CREAT, 0644));
    shut(try("O_CREAT in a missing directory", "nowhere/new", O_RDWR | O_CREAT, 0644));
    shut(try("O_NOFOLLOW of a link", "link", O_RDONLY | O_NOFOLLOW, 0));
    shut(try("O_NOFOLLOW of a file", "existing", O_RDONLY | O_NOFOLLOW, 0));
    shut(try("a loop of links", "loop1", O_RDONLY, 0));
    shut(try("a path too long", longest, O_RDONLY, 0));
    shut(try("a component too long", component, O_RDONLY, 0));
    shut(try("a wild path", WILD, O_RDONLY, 0));
    shut(try("O_TRUNC, read only, keeps no contents", "existing", O_RDONLY | O_TRUNC, 0));
    must("stat", stat("existing", &status));
    number("its size", status.st_size);

    int path = try("O_PATH", "existing", O_PATH, 0);
    char byte;
    result("read of it", read(path, &byte, 1));
    result("fstat of it", fstat(path, &status));
    result("fchmod of it", fchmod(path, 0600));
    result("lseek of it", lseek(path, 0, SEEK_SET));
    fact("F_GETFL tells O_PATH", (fcntl(path, F_GETFL) & O_PATH) == O_PATH);
    shut(path);
    path = try("O_PATH | O_NOFOLLOW of a link", "link", O_PATH | O_NOFOLLOW, 0);
    must("fstat", fstat(path, &status));
    fact("is the link itself", S_ISLNK(status.st_mode));
    shut(path);

    int temporary = try("O_TMPFILE", ".", O_RDWR | 020200000, 0600);
    if (temporary >= 0) {
        must("fstat", fstat(temporary, &status));
        number("its links", status.st_nlink);
        result("write", write(temporary, "x", 1));
        shut(temporary);
    }
    shut(try("O_TMPFILE read only", ".", O_RDONLY | 020200000, 0600));
    int lowest = dup(0), next = dup(0);
    shut(lowest);
    fact("the lowest free number is taken", try("a file", "existing", O_RDONLY, 0) == lowest);
    shut(next);
    result("close", close(lowest));
    result("close again", close(lowest));
    result("close of -1", close(-1));
    result("openat below a closed descriptor", openat(lowest, "existing", O_RDONLY));
    result("openat below a file", openat(must("open", open("existing", O_RDONLY)), "x", O_RDONLY));
    fact("an absolute path needs none", openat(-1, "/dev/null", O_RDONLY) >= 0);
    fact("access mode 3 opens", open("existing", 3) >= 0);
    return 0;
}
