/*
 * summary: getrlimit, setrlimit and prlimit: values, soft above hard, raising without rights, inheritance
 * calls: getrlimit setrlimit prlimit64 setuid
 */
#include "apus.h"
#include <sys/stat.h>

static int prlimit_of(pid_t pid, int which, const struct rlimit *new, struct rlimit *old) {
    return syscall(SYS_prlimit64, pid, which, new, old);
}

static void show(const char *what) {
    struct rlimit limit;
    must("getrlimit", getrlimit(RLIMIT_NOFILE, &limit));
    line("%s: %ld of %ld", what, (long)limit.rlim_cur, (long)limit.rlim_max);
}

static void in_a_child(void) { show("a child inherits them"); }

static void without_rights(void) {
    struct rlimit limit = {50, 101};
    must("setuid", getuid() == 0 ? setuid(65534) : 0);
    result("raising the hard limit without rights", setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){100, 100};
    result("the soft one up to it", setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){40, 60};
    result("lowering both", setrlimit(RLIMIT_NOFILE, &limit));
    show("then");
    limit = (struct rlimit){60, 60};
    result("another user's process", prlimit_of(getppid(), RLIMIT_NOFILE, getuid() == 65534 ? &limit : NULL, NULL));
}

int main(void) {
    struct rlimit limit = {50, 100}, old;
    static const int known[] = {RLIMIT_CPU,    RLIMIT_FSIZE,   RLIMIT_DATA,  RLIMIT_STACK, RLIMIT_CORE,
                                RLIMIT_NPROC,  RLIMIT_NOFILE,  RLIMIT_AS,    RLIMIT_LOCKS, RLIMIT_SIGPENDING,
                                RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME};
    int good = 0;
    for (size_t i = 0; i < COUNT(known); i++) good += getrlimit(known[i], &old) == 0 && old.rlim_cur <= old.rlim_max;
    number("limits that can be read, soft not above hard", good);
    result("set", setrlimit(RLIMIT_NOFILE, &limit));
    show("then");
    limit = (struct rlimit){101, 100};
    result("soft above hard", setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){60, 100};
    result("prlimit sets and tells the old", prlimit_of(0, RLIMIT_NOFILE, &limit, &old));
    line("old: %ld of %ld", (long)old.rlim_cur, (long)old.rlim_max);
    in_child(in_a_child);
    pid_t child = must("fork", fork());
    if (child == 0)
        for (;;) pause();
    limit = (struct rlimit){70, 90};
    result("prlimit of a child", prlimit_of(child, RLIMIT_NOFILE, &limit, &old));
    result("read back", prlimit_of(child, RLIMIT_NOFILE, NULL, &old));
    line("the child's: %ld of %ld", (long)old.rlim_cur, (long)old.rlim_max);
    show("ours");
    kill(child, SIGKILL);
    wait_for(child);
    in_child(without_rights);
    limit = (struct rlimit){5, RLIM_INFINITY};
    result("an infinite number of files", setrlimit(RLIMIT_NOFILE, &limit));
    result("an unknown limit", getrlimit((__typeof__(RLIMIT_CPU))16, &old));
    result("a negative one", getrlimit((__typeof__(RLIMIT_CPU)) - 1, &old));
    result("a wild result", syscall(SYS_getrlimit, RLIMIT_NOFILE, WILD));
    result("a wild limit", syscall(SYS_setrlimit, RLIMIT_NOFILE, WILD));
    result("nobody's", prlimit_of(0x3fffffff, RLIMIT_NOFILE, NULL, &old));
    return 0;
}
