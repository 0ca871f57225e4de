/*
 * summary: mincore tells resident pages and holes; mlock, munlock, mlockall and their errnos
 * calls: mincore mlock munlock mlock2 mlockall munlockall
 */
#include "apus.h"
#include <sys/mman.h>

static void show(const char *what, unsigned char *state) {
    char digits[9] = "";
    for (int i = 0; i < 8; i++) digits[i] = '0' + (state[i] & 1);
    text(what, digits);
}

int main(void) {
    unsigned char state[8];
    char *area = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(area, 8 * 4096, 15); /* MADV_NOHUGEPAGE, where there are huge ones */
    memset(state, 0x55, sizeof state);
    result("mincore of fresh memory", mincore(area, 8 * 4096, state));
    show("resident", state);
    area[0] = area[3 * 4096] = 1;
    must("mincore", mincore(area, 8 * 4096, state));
    show("after two were written", state);
    result("an odd length counts as a page", mincore(area, 1, state));
    result("an odd address", mincore(area + 1, 4096, state));
    result("a wild vector", mincore(area, 4096, WILD));
    result("no bytes", mincore(area, 0, state));
    result("beyond the user's half", mincore(area, 1ul << 62, state));
    must("munmap", munmap(area + 4 * 4096, 4096));
    result("over a hole", mincore(area, 8 * 4096, state));
    result("of a hole", mincore(area + 4 * 4096, 4096, state));

    result("mlock", mlock(area + 4096, 4096));
    must("mincore", mincore(area + 4096, 4096, state));
    number("makes it resident", state[0] & 1);
    result("munlock", munlock(area + 4096, 4096));
    result("munlock once more", munlock(area + 4096, 4096));
    result("mlock over a hole", mlock(area, 8 * 4096));
    result("mlock of an odd address is rounded", mlock(area + 1, 100));
    result("mlock2 with an unknown flag", syscall(SYS_mlock2, area, 4096, 8));
    result("mlock2 on fault", syscall(SYS_mlock2, area + 2 * 4096, 4096, 1));
    must("mincore", mincore(area + 2 * 4096, 4096, state));
    number("does not touch it", state[0] & 1);
    result("munlock of the rest", munlock(area, 4 * 4096));
    result("mlockall with no flags", mlockall(0));
    result("mlockall with an unknown flag", mlockall(8));
    result("mlockall MCL_ONFAULT alone", mlockall(4));
    result("munlockall", munlockall());

    pid_t child = must("fork", fork());
    if (child == 0) {
        struct rlimit none = {0, 0}, some = {8192, 8192};
        if (getuid() == 0) must("setuid", setuid(65534));
        must("setrlimit", setrlimit(RLIMIT_MEMLOCK, &some));
        result("within RLIMIT_MEMLOCK", mlock(area, 4096));
        result("beyond it", mlock(area, 3 * 4096));
        must("setrlimit", setrlimit(RLIMIT_MEMLOCK, &none));
        result("with a limit of 0", mlock(area, 4096));
        _exit(0);
    }
    wait_status("the child", wait_for(child));
    return 0;
}
