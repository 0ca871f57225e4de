/*
 * summary: capget's versions, what setuid, keepcaps and the bounding set do, and raising without having
 * calls: capget capset prctl setuid
 * file: file 644 x
 */
#include "apus.h"
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define VERSION_1 0x19980330
#define VERSION_3 0x20080522
#define CHOWN 0
#define SETUID 7

struct header {
    uint32_t version;
    int pid;
};

struct data {
    uint32_t effective, permitted, inheritable;
};

static void show(const char *what) {
    struct header header = {VERSION_3, 0};
    struct data data[2];
    must("capget", syscall(SYS_capget, &header, data));
    line("%s: effective %s, permitted %s, inheritable %s", what, data[0].effective ? "some" : "none",
         data[0].permitted ? "some" : "none", data[0].inheritable ? "some" : "none");
}

static void drops(void) {
    must("setuid", setuid(1000));
    show("after setuid");
    result("chown", chown("file", 0, 0));
}

static void keeps(void) {
    must("prctl", prctl(PR_SET_KEEPCAPS, 1));
    must("setuid", setuid(1000));
    show("after setuid with keepcaps");
    struct header header = {VERSION_3, 0};
    struct data data[2];
    must("capget", syscall(SYS_capget, &header, data));
    data[0].effective = 1u << CHOWN;
    data[1].effective = 0;
    result("raise one of them", syscall(SYS_capset, &header, data));
    result("chown works", chown("file", 1001, -1));
    data[0].permitted = data[0].effective;
    data[1].permitted = 0;
    result("keep only that", syscall(SYS_capset, &header, data));
    data[0].permitted |= 1u << SETUID;
    result("take one back", syscall(SYS_capset, &header, data));
    data[0].permitted = 0;
    result("effective beyond permitted", syscall(SYS_capset, &header, data));
}

static void for_a_while(void) {
    must("seteuid", seteuid(1000));
    show("after seteuid");
    must("seteuid", seteuid(0));
    show("and back");
}

int main(void) {
    struct header header = {VERSION_3, 0};
    struct data data[2];
    result("capget", syscall(SYS_capget, &header, data));
    header.version = 0x12345678;
    result("an unknown version", syscall(SYS_capget, &header, data));
    line("the kernel names its own: %x", header.version);
    header.version = 0;
    result("asking for it with no data", syscall(SYS_capget, &header, NULL));
    header = (struct header){VERSION_1, 0};
    result("the first version", syscall(SYS_capget, &header, data));
    header = (struct header){VERSION_3, 0x3fffffff};
    result("of nobody", syscall(SYS_capget, &header, data));
    header = (struct header){VERSION_3, -1};
    result("of a negative pid", syscall(SYS_capget, &header, data));
    pid_t child = must("fork", fork());
    if (child == 0) {
        header = (struct header){VERSION_3, getppid()};
        result("of the parent", syscall(SYS_capget, &header, data));
        result("set the parent's", syscall(SYS_capset, &header, data));
        _exit(0);
    }
    wait_for(child);
    result("a wild header", syscall(SYS_capget, WILD, data));
    header = (struct header){VERSION_3, 0};
    result("wild data", syscall(SYS_capget, &header, WILD));
    result("PR_CAPBSET_READ of the first", prctl(PR_CAPBSET_READ, 0) >= 0 ? 0 : -1);
    result("of one that does not exist", prctl(PR_CAPBSET_READ, 1000));
    result("PR_GET_SECUREBITS", prctl(PR_GET_SECUREBITS));
    if (geteuid() != 0) return 0;
    must("chmod", chmod(".", 0755));
    show("root");
    wait_status("drops", in_child(drops));
    wait_status("keeps", in_child(keeps));
    wait_status("for a while", in_child(for_a_while));
    return 0;
}
