/*
 * summary: setgroups and getgroups, access by a supplementary group, and inheritance
 * calls: setgroups getgroups fork open
 * file: group-file 640 for the group
 */
#include "apus.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

static void show(const char *what) {
    gid_t groups[64];
    char out[256] = "";
    int n = getgroups(64, groups);
    for (int i = 0; i < n; i++) snprintf(out + strlen(out), sizeof out - strlen(out), " %d", (int)groups[i]);
    line("%s: %d:%s", what, n, out);
}

static void in_a_child(void) { show("a child inherits them"); }

int main(void) {
    gid_t groups[3] = {7777, 7, 77}, back[3];
    if (geteuid() != 0) {
        line("not root: nothing to see");
        return 0;
    }
    must("chown", chown("group-file", 0, 7777));
    must("chmod", chmod(".", 0755));
    result("setgroups", setgroups(3, groups));
    show("they come back sorted");
    result("getgroups with too little room", getgroups(2, back));
    result("getgroups with none asks for the number", getgroups(0, NULL));
    result("getgroups with a negative number", syscall(SYS_getgroups, -1, back));
    result("getgroups to a wild pointer", getgroups(3, WILD));
    result("setgroups from a wild pointer", setgroups(3, WILD));
    result("too many", setgroups(65537, groups));
    in_child(in_a_child);
    must("setgid", setgid(1000));
    must("setuid", setuid(1000));
    show("setuid keeps them");
    outcome("a file of one of the groups", open("group-file", O_RDONLY));
    outcome("for writing", open("group-file", O_RDWR));
    result("setgroups without rights", setgroups(0, NULL));
    return 0;
}
