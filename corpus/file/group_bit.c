/*
 * summary: a set-group-id bit is given by members of the group alone, to files and to directories
 * calls: chmod fchmod chown setgroups setegid seteuid
 * file: foreign 755 x
 * file: own 755 x
 * file: foreign-dir/inner 644 x
 * file: own-dir/inner 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

static unsigned mode_of(const char *path) {
    struct stat status;
    must("stat", stat(path, &status));
    return status.st_mode & 07777;
}

static void give(const char *path, int mode) {
    char what[100];
    snprintf(what, sizeof what, "chmod %o of %s", mode, path);
    result(what, chmod(path, mode));
    line("mode %o", mode_of(path));
    int fd = must("open", open(path, O_RDONLY));
    snprintf(what, sizeof what, "fchmod %o of %s", mode, path);
    result(what, fchmod(fd, mode));
    line("mode %o", mode_of(path));
    close(fd);
}

int main(void) {
    if (getuid() != 0) {
        line("only root can give files to others");
        return 0;
    }
    gid_t group = 1234;
    static const char *const names[] = {"foreign", "own", "foreign-dir", "own-dir"};
    for (size_t i = 0; i < COUNT(names); i++)
        must("chown", chown(names[i], 65534, strncmp(names[i], "own", 3) == 0 ? group : 4321));
    must("chmod", chmod(".", 0755));
    must("setgroups", setgroups(1, &group));
    must("setegid", setegid(65534));
    must("seteuid", seteuid(65534));
    for (size_t i = 0; i < COUNT(names); i++) give(names[i], 02755);
    give("foreign-dir", 07755);
    give("foreign", 06755);
    must("seteuid", seteuid(0));
    give("foreign-dir", 03777);
    return 0;
}
