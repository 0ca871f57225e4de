/*
 * summary: user attributes: set, create, replace, get, list, remove; sizes and errnos
 * calls: setxattr getxattr listxattr removexattr fsetxattr fgetxattr lsetxattr
 * file: file 644 x
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/xattr.h>

int main(void) {
    char value[64], names[256], long_name[300] = "user.";
    int fd = must("open", open("file", O_RDWR));
    must("symlink", symlink("file", "link"));
    if (setxattr("file", "user.probe", "", 0, 0) == -1 && errno == EOPNOTSUPP) {
        line("this file system has no user attributes");
        return 0;
    }
    must("removexattr", removexattr("file", "user.probe"));
    result("set", setxattr("file", "user.one", "first", 5, 0));
    result("get", getxattr("file", "user.one", value, sizeof value));
    bytes("value", value, 5);
    result("the size alone", getxattr("file", "user.one", NULL, 0));
    result("too small a buffer", getxattr("file", "user.one", value, 3));
    result("create an existing one", setxattr("file", "user.one", "x", 1, XATTR_CREATE));
    result("replace a missing one", setxattr("file", "user.two", "x", 1, XATTR_REPLACE));
    result("replace", setxattr("file", "user.one", "other value", 11, XATTR_REPLACE));
    result("create", fsetxattr(fd, "user.two", NULL, 0, XATTR_CREATE));
    result("an empty value", fgetxattr(fd, "user.two", value, sizeof value));
    result("both flags of a missing one", setxattr("file", "user.three", "x", 1, 3));
    result("an unknown flag", setxattr("file", "user.three", "x", 1, 8));
    long n = listxattr("file", names, sizeof names);
    int users = 0;
    for (long at = 0; at < n; at += strlen(names + at) + 1) users += strncmp(names + at, "user.", 5) == 0;
    number("user attributes in the list", users);
    fact("the size alone is that of the list", listxattr("file", NULL, 0) == n);
    result("a list too small", listxattr("file", names, 3));
    result("through a link", getxattr("link", "user.one", value, sizeof value));
    result("of a link itself", lgetxattr("link", "user.one", value, sizeof value));
    result("set on a link", lsetxattr("link", "user.one", "x", 1, 0));
    result("remove", removexattr("file", "user.one"));
    result("remove again", removexattr("file", "user.one"));
    result("get a missing one", getxattr("file", "user.one", value, sizeof value));
    result("a name without a prefix", setxattr("file", "one", "x", 1, 0));
    result("a prefix without a name", setxattr("file", "user.", "x", 1, 0));
    result("an empty name", setxattr("file", "", "x", 1, 0));
    memset(long_name + 5, 'n', 260);
    result("a name too long", setxattr("file", long_name, "x", 1, 0));
    result("a value too long", syscall(SYS_setxattr, "file", "user.big", value, 65537, 0));
    result("a missing file", setxattr("missing", "user.one", "x", 1, 0));
    result("a closed descriptor", fgetxattr(99, "user.one", value, sizeof value));
    result("a wild name", getxattr("file", WILD, value, sizeof value));
    result("a wild value", setxattr("file", "user.one", WILD, 5, 0));
    result("a device", setxattr("/dev/null", "user.one", "x", 1, 0));
    int path = must("open", open("file", O_PATH));
    result("an O_PATH descriptor", fgetxattr(path, "user.two", value, sizeof value));
    return 0;
}
