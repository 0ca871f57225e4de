/*
 * summary: arguments that must be zero, and I/O priorities with the hints that their numbers may carry
 * calls: prctl arch_prctl ioprio_set ioprio_get
 */
#include "apus.h"
#include <sys/prctl.h>

#define CLASS(number) ((number) << 13)

static void set(const char *what, int priority) {
    result(what, syscall(SYS_ioprio_set, 1, 0, priority));
    result("  ioprio_get", syscall(SYS_ioprio_get, 1, 0));
}

int main(void) {
    result("PR_GET_SPECULATION_CTRL with more arguments", prctl(52, 0, 1, 0, 0));
    result("of nothing known", prctl(52, 99, 0, 0, 0));
    result("PR_SET_SPECULATION_CTRL with more arguments", prctl(53, 0, 0, 1, 0));
    result("of nothing known", prctl(53, 99, 0, 0, 0));
    result("ARCH_GET_CPUID", syscall(SYS_arch_prctl, 0x1011, 0));
    result("an unknown code of arch_prctl", syscall(SYS_arch_prctl, 0x7777, 0));
    set("best effort 3", CLASS(2) | 3);
    set("best effort with a hint", CLASS(2) | 1 << 3 | 4);
    set("none", CLASS(0));
    set("none with a level", CLASS(0) | 1);
    set("an unknown class", CLASS(5));
    return 0;
}
