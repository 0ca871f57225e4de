/*
 * summary: the vDSO is there by name, after a fork, moved, not when it was unmapped, and again after an exec
 * calls: mremap munmap fork execve clock_gettime
 */
#include "vdso.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;
static void *fault_address;
static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    fault_address = info->si_addr;
    siglongjmp(back, 1);
}

static void use(void) {
    struct timespec now, later;
    int failed = v_gettime(CLOCK_MONOTONIC, &now) != 0;
    failed += syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &later) != 0;
    line("the function works here: %s, and is not ahead: %s", failed ? "no" : "yes", before(later, now) ? "no" : "yes");
}

static void move(void) {
    unsigned long begin[8], end[8];
    int count = mappings(begin, end, "r-xp"), moved = 0;
    unsigned long size = end[count - 1] - begin[0];
    char *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < count; i++) {
        unsigned long part = end[i] - begin[i];
        char *target = place + (begin[i] - begin[0]);
        moved += mremap((void *)begin[i], part, part, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target;
    }
    fact("every part could be moved", moved == count);
    image = place + (begin[count - 1] - begin[0]);
    find();
    use();
    fact("and /proc/self/maps shows it there",
         mappings(begin, end, "r-xp") == count && begin[count - 1] == (unsigned long)image);
}

static void unmap(void) {
    unsigned long begin[8], end[8];
    int count = mappings(begin, end, "r-xp");
    for (int i = 0; i < count; i++) must("munmap", munmap((void *)begin[i], end[i] - begin[i]));
    struct timespec now = {0, 0};
    number("clock_gettime, the call", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now));
    if (sigsetjmp(back, 1) == 0) v_gettime(CLOCK_MONOTONIC, &now);
    fact("the function is gone", fault_address == (void *)v_gettime);
    number("mappings of that name", mappings(begin, end, "r-xp"));
    execl("/proc/self/exe", "vdso", "again", NULL);
}

int main(int argc, char **argv) {
    (void)argv;
    look_up();
    unsigned long begin[8], end[8];
    int count = mappings(begin, end, "r-xp");
    fact("/proc/self/maps has its data and, readable and executable, the image", count >= 2);
    fact("side by side", count >= 2 && end[count - 2] == begin[count - 1] && begin[count - 1] == (unsigned long)image);
    use();
    if (argc > 1) return 0;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    line("a child of a fork: %d", in_child(use));
    line("one that moves it: %d", in_child(move));
    line("one that unmaps it and executes a program: %d", in_child(unmap));
    use();
    return 0;
}
