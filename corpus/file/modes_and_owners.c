/*
 * summary: umask, chmod, chown and access: special bits, root's rights and another user's
 * calls: umask fchmodat chmod fchmod chown fchownat faccessat access setuid setgroups
 * file: file 644 x
 * file: dir/inner 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

static unsigned mode_of(const char *path) {
    struct stat status;
    must("lstat", lstat(path, &status));
    return status.st_mode & 07777;
}

static void as_somebody(void) {
    must("setgroups", setgroups(0, NULL));
    must("setgid", setgid(65534));
    must("setuid", setuid(65534));
    result("access R_OK of a private file", access("private", R_OK));
    result("access F_OK of it", access("private", F_OK));
    result("open of it", open("private", O_RDONLY));
    result("chmod of it", chmod("private", 0777));
    result("chown of it", chown("private", 65534, 65534));
    result("a readable one for writing", open("readable", O_WRONLY));
    outcome("a readable one for reading", open("readable", O_RDONLY));
    result("a new file in a closed directory", open("dir/new", O_RDWR | O_CREAT, 0644));
    result("a file in a directory without x", open("noexec/file", O_RDONLY));
    result("listing it is allowed", open("noexec", O_RDONLY) >= 0 ? 0 : -1);
    result("unlink in a sticky directory", unlink("sticky/root"));
    outcome("a new file there", open("sticky/own", O_RDWR | O_CREAT, 0644));
    result("unlink of the own", unlink("sticky/own"));
    result("access X_OK of a file without x", access("readable", X_OK));
    result("unlink in a closed directory", unlink("dir/inner"));
    result("mkdir in the sticky one", mkdir("sticky/dir", 0755));
}

static void make(const char *path, int mode) {
    close(must("open", open(path, O_RDWR | O_CREAT, 0600)));
    must("chmod", chmod(path, mode));
}

int main(void) {
    int old = umask(022);
    number("umask returns the one before", umask(077) == 022 ? old >= 0 : 99);
    close(must("open", open("masked", O_RDWR | O_CREAT, 0666)));
    must("mkdir", mkdir("masked-dir", 0777));
    line("file %o, directory %o", mode_of("masked"), mode_of("masked-dir"));
    number("umask keeps nine bits", umask(07777) == 077 && umask(022) == 0777);
    result("chmod with special bits", chmod("file", 07755));
    line("mode %o", mode_of("file"));
    int fd = must("open", open("file", O_RDWR));
    result("write takes set-user-id away, unless root", getuid() == 0 ? 0 : write(fd, "x", 1));
    result("chown takes it away", chown("file", getuid(), getgid()));
    line("mode %o", mode_of("file"));
    must("symlink", symlink("missing", "link"));
    result("chmod through a dangling link", chmod("link", 0644));
    result("chown through it", chown("link", -1, -1));
    result("lchown of it", lchown("link", -1, -1));
    result("fchmod of a closed descriptor", fchmod(99, 0644));
    result("fchown of a closed descriptor", fchown(99, -1, -1));
    result("access with an unknown mode", access("file", 8));
    result("access of a missing file", access("missing", F_OK));
    result("access X_OK", access("file", X_OK));
    must("chmod", chmod("file", 0644));
    result("access X_OK without any x, even for root", access("file", X_OK));
    result("faccessat with AT_EACCESS", faccessat(AT_FDCWD, "file", R_OK, AT_EACCESS));

    if (getuid() == 0) {
        must("chmod", chmod(".", 0755));
        make("private", 0600);
        make("readable", 0644);
        must("mkdir", mkdir("noexec", 0755));
        make("noexec/file", 0644);
        must("chmod", chmod("noexec", 0744));
        must("mkdir", mkdir("sticky", 0755));
        make("sticky/root", 0666);
        must("chmod", chmod("sticky", 01777));
        must("chmod", chmod("dir", 0755));
        wait_status("another user", in_child(as_somebody));
        must("chmod", chmod("private", 0));
        outcome("root opens a file of mode 0", open("private", O_RDWR));
    }
    return 0;
}
