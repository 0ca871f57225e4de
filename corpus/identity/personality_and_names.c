/*
 * summary: personality reads and sets its bits across exec; host names; calls that do not exist
 * calls: personality uname sethostname getpid gettid execve
 */
#include "apus.h"
#include <sys/personality.h>
#include <sys/utsname.h>

#define QUERY 0xffffffff
#define NO_RANDOMIZE 0x0040000

int main(int argc, char **argv) {
    struct utsname name;
    if (argc > 1) {
        fact("exec keeps it", (personality(QUERY) & NO_RANDOMIZE) != 0);
        return 0;
    }
    result("personality, asked", personality(QUERY));
    result("ADDR_NO_RANDOMIZE: the one before", personality(NO_RANDOMIZE));
    line("now: %x", personality(QUERY));
    pid_t child = must("fork", fork());
    if (child == 0) {
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        _exit(1);
    }
    wait_status("a child", wait_for(child));
    must("personality", personality(PER_LINUX32));
    must("uname", uname(&name));
    text("PER_LINUX32 changes the machine's name", name.machine);
    must("personality", personality(PER_LINUX));
    must("uname", uname(&name));
    text("and back", name.machine);
    char host[64];
    result("gethostname into 1 byte", gethostname(host, 1));
    fact("gethostname", gethostname(host, sizeof host) == 0 && strcmp(host, name.nodename) == 0);
    child = must("fork", fork());
    if (child == 0) {
        must("setuid", getuid() == 0 ? setuid(65534) : 0);
        result("sethostname without rights", sethostname("apus", 4));
        result("setdomainname without rights", setdomainname("apus", 4));
        _exit(0);
    }
    wait_for(child);
    fact("getpid is the raw call's", getpid() == syscall(SYS_getpid));
    fact("getpgrp is getpgid(0)", getpgrp() == getpgid(0));
    fact("getpgid of itself", getpgid(getpid()) == getpgrp());
    result("an unimplemented call", syscall(1000));
    result("call number -1", syscall(-1));
    result("the largest number", syscall(0x7fffffff));
    result("a removed one: uselib", syscall(SYS_uselib, "x"));
    result("nfsservctl", syscall(SYS_nfsservctl, 0, 0, 0));
    result("an x32 call", syscall(0x40000000 | SYS_getpid));
    return 0;
}
