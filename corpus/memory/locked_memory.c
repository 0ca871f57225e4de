/*
 * summary: what is locked is counted in VmLck, kept from children, bound by RLIMIT_MEMLOCK, and refused by msync
 * calls: mlock mlock2 munlock mlockall munlockall mmap mremap msync brk setrlimit setresuid
 */
#include "apus.h"
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096l

/* In pages, as /proc/self/status tells; -1 if it does not. */
static long locked(void) {
    char status[8192];
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) return -1;
    size_t length = fread(status, 1, sizeof status - 1, file);
    fclose(file);
    status[length] = 0;
    char *row = strstr(status, "\nVmLck:");
    return row == NULL ? -1 : atol(row + 7) * 1024 / PAGE;
}

static char *map(long pages, int flags) {
    void *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
    outcome("mmap", at == MAP_FAILED ? -1 : 0);
    return at == MAP_FAILED ? NULL : at;
}

static void present(const char *what, char *at, long pages) {
    unsigned char vector[64];
    int count = 0;
    must("mincore", mincore(at, pages * PAGE, vector));
    for (long i = 0; i < pages; i++) count += vector[i] & 1;
    number(what, count);
}

static void child_has_none(void) { number("in a child", locked()); }

static void bound(void) {
    struct rlimit limit = {16 * PAGE, 16 * PAGE};
    must("setrlimit", setrlimit(RLIMIT_MEMLOCK, &limit));
    must("setresuid", setresuid(65534, 65534, 65534));
    char *at = map(32, MAP_PRIVATE);
    result("mlock of more than the limit", mlock(at, 17 * PAGE));
    result("mlock of less", mlock(at, 10 * PAGE));
    result("the same again", mlock(at, 10 * PAGE));
    result("with as much again", mlock(at + 10 * PAGE, 10 * PAGE));
    result("up to the limit, some of it locked before", mlock(at + 5 * PAGE, 11 * PAGE));
    result("mlock of nothing", mlock(at, 0));
    result("mlock of a hole", mlock(WILD, 1));
    map(1, MAP_PRIVATE | MAP_LOCKED);
    outcome("mremap to more", mremap(at, 16 * PAGE, 17 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
    result("mlockall of everything", mlockall(MCL_CURRENT));
    result("munlock", munlock(at, 16 * PAGE));
    map(1, MAP_PRIVATE | MAP_LOCKED);
    result("mlockall of what comes", mlockall(MCL_FUTURE));
    map(32, MAP_PRIVATE);
    map(2, MAP_PRIVATE);
    result("munlockall", munlockall());
    limit.rlim_cur = 0;
    must("setrlimit", setrlimit(RLIMIT_MEMLOCK, &limit));
    result("mlock with a limit of 0", mlock(at, 1));
    result("mlockall with it", mlockall(MCL_FUTURE));
    result("munlock with it", munlock(at, PAGE));
    map(1, MAP_PRIVATE | MAP_LOCKED);
}

int main(void) {
    number("locked at the start", locked());
    char *at = map(8, MAP_PRIVATE);
    present("present before", at, 8);
    result("mlock of a byte in the middle", mlock(at + PAGE + 5, 1));
    number("locked", locked());
    present("present after", at, 8);
    result("mlock of a byte too many", mlock(at + PAGE, 2 * PAGE + 1));
    number("locked", locked());
    result("mlock2 on fault", mlock2(at, 8 * PAGE, MLOCK_ONFAULT));
    number("locked", locked());
    present("present", at, 8);
    result("mlock2 with an unknown flag", mlock2(at, PAGE, 2));
    in_child(child_has_none);
    result("munlock of half", munlock(at, 4 * PAGE));
    number("locked", locked());
    result("munmap of the rest", munmap(at + 4 * PAGE, 4 * PAGE));
    number("locked", locked());
    char *shared = map(4, MAP_SHARED | MAP_LOCKED);
    number("locked by mmap", locked());
    present("present", shared, 4);
    result("msync MS_INVALIDATE", msync(shared, PAGE, MS_INVALIDATE));
    result("MADV_DONTNEED", madvise(shared, PAGE, MADV_DONTNEED));
    result("munlock", munlock(shared, 4 * PAGE));
    result("msync MS_INVALIDATE", msync(shared, PAGE, MS_INVALIDATE));
    result("mlockall of nothing", mlockall(0));
    result("MCL_ONFAULT alone", mlockall(MCL_ONFAULT));
    result("mlockall of what comes", mlockall(MCL_FUTURE));
    number("locked", locked());
    at = map(3, MAP_PRIVATE);
    number("locked", locked());
    present("present", at, 3);
    in_child(child_has_none);
    result("mlockall of what comes, on fault", mlockall(MCL_FUTURE | MCL_ONFAULT));
    at = map(3, MAP_PRIVATE);
    number("locked", locked());
    present("present", at, 3);
    result("mlockall of everything", mlockall(MCL_CURRENT));
    fact("far more is locked", locked() > 20);
    at = map(3, MAP_PRIVATE);
    present("what comes is no longer", at, 3);
    result("munlockall", munlockall());
    number("locked", locked());
    if (getuid() == 0) wait_status("bound", in_child(bound));
    return 0;
}
