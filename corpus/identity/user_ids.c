/*
 * summary: setuid, seteuid, setresuid and their effects on all three ids, for root and for another user
 * calls: getuid geteuid getresuid setuid setreuid setresuid setfsuid setgid setresgid
 */
#include "apus.h"
#include <sys/fsuid.h>

static void show(const char *what) {
    uid_t real, effective, saved;
    must("getresuid", getresuid(&real, &effective, &saved));
    line("%s: %d %d %d", what, (int)real, (int)effective, (int)saved);
}

static void gives_up_for_good(void) {
    result("setuid 1000", setuid(1000));
    show("all three");
    result("back to root", setuid(0));
    result("to another", setuid(1001));
    result("to itself", setuid(1000));
    result("setreuid to another", setreuid(1001, -1));
    result("setresuid to another", setresuid(-1, -1, 0));
    result("setresuid with nothing to change", setresuid(-1, -1, -1));
    result("setgid to the own", setgid(getgid()));
    result("setgid to another", setgid(1001));
}

static void gives_up_for_a_while(void) {
    result("seteuid 1000", seteuid(1000));
    show("then");
    result("seteuid 1001", seteuid(1001));
    result("seteuid back", seteuid(0));
    show("then");
    result("setreuid 1000, 1001", setreuid(1000, 1001));
    show("the saved id follows");
    result("swap", setreuid(1001, 1000));
    show("then");
    result("root is gone", seteuid(0));
}

static void by_three(void) {
    result("setresuid 1, 2, 3", setresuid(1, 2, 3));
    show("then");
    result("setuid to the saved id", setuid(3));
    show("only the effective id changes");
    result("setresuid swaps among them", setresuid(3, 1, 3));
    show("then");
    result("an id of none of them", setresuid(2, -1, -1));
}

static void file_system_id(void) {
    number("setfsuid returns the one before", setfsuid(1000));
    number("and so it is read", setfsuid(-1));
    result("seteuid sets it as well", seteuid(1001));
    number("it is", setfsuid(-1));
    number("another user cannot", setfsuid(0) == 1001 && setfsuid(-1) == 1001);
}

static void groups_too(void) {
    gid_t real, effective, saved;
    result("setgid 1000", setgid(1000));
    must("getresgid", getresgid(&real, &effective, &saved));
    line("all three: %d %d %d", (int)real, (int)effective, (int)saved);
    result("setresgid 4, 5, 6", setresgid(4, 5, 6));
    must("setuid", setuid(1000));
    result("without rights: setegid to the real one", setegid(4));
    result("setegid to another", setegid(1001));
    result("setregid", setregid(6, 6));
    must("getresgid", getresgid(&real, &effective, &saved));
    line("then: %d %d %d", (int)real, (int)effective, (int)saved);
}

int main(void) {
    result("getresuid to a wild pointer", syscall(SYS_getresuid, WILD, WILD, WILD));
    result("setuid of -1", setuid(-1));
    fact("getuid is the real one", getuid() == (uid_t)syscall(SYS_getuid));
    if (geteuid() != 0) {
        line("not root: nothing more to see");
        return 0;
    }
    wait_status("for good", in_child(gives_up_for_good));
    wait_status("for a while", in_child(gives_up_for_a_while));
    wait_status("by three", in_child(by_three));
    wait_status("file system id", in_child(file_system_id));
    wait_status("groups", in_child(groups_too));
    show("the parent's stayed");
    return 0;
}
