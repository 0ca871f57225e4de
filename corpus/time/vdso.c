/*
 * summary: the vDSO is an ELF image that offers the clocks, and its functions agree with the calls
 * calls: clock_gettime clock_getres gettimeofday time getcpu
 */
#include "vdso.h"
#include <setjmp.h>

static const struct { int number; const char *name; } clocks[] = {
    {0, "CLOCK_REALTIME"}, {1, "CLOCK_MONOTONIC"}, {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"},
    {6, "CLOCK_MONOTONIC_COARSE"}, {7, "CLOCK_BOOTTIME"}, {11, "CLOCK_TAI"},
};

static void agree(int number, const char *name) {
    struct timespec last = {0, 0}, now, coarse, step;
    int backward = 0, failed = 0;
    for (int i = 0; i < 100; i++) {
        failed += (i % 2 ? v_gettime(number, &now) : (int)syscall(SYS_clock_gettime, number, &now)) != 0;
        backward += before(now, last);
        last = now;
    }
    failed += v_getres(number, &coarse) != 0 || syscall(SYS_clock_getres, number, &step) != 0;
    line("%s, by function and call in turn: failed %d, backward %d; one resolution: %s", name, failed, backward,
         coarse.tv_nsec == step.tv_nsec ? "yes" : "no");
}

static sigjmp_buf back;
static void *fault_address;
static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    fault_address = info->si_addr;
    siglongjmp(back, 1);
}

int main(void) {
    look_up();
    fact("it begins with a page", (unsigned long)image % 4096 == 0);
    const ElfW(Ehdr) *header = (void *)image;
    fact("a shared object of 64 bits for this machine", !memcmp(image, "\177ELF\2\1\1", 7) && header->e_type == ET_DYN &&
                                                            header->e_machine == EM_X86_64);
    static const char *const names[] = {"clock_gettime", "gettimeofday", "time", "getcpu", "clock_getres"};
    found("", 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        char full[64];
        snprintf(full, sizeof full, "__vdso_%s", names[i]);
        void *function = found(full, 1);
        fact("and by its short name it is the same", found(names[i], 1) == function && function);
    }
    for (size_t i = 0; i < COUNT(clocks); i++) agree(clocks[i].number, clocks[i].name);

    struct timespec now;
    static const int others[] = {2, 3, -1, -2, -6, 10, 12, 15, 99, 0x7fffffff};
    for (size_t i = 0; i < COUNT(others); i++)
        line("clock %d: %s", others[i], errno_name(-v_gettime(others[i], &now)));
    line("clock_getres of clock 99: %s, without a result's address: %s", errno_name(-v_getres(99, &now)),
         errno_name(-v_getres(CLOCK_MONOTONIC, NULL)));
    struct timeval day;
    int zone[2] = {7, 7};
    number("gettimeofday of nothing", v_day(NULL, NULL));
    number("gettimeofday of time and zone", v_day(&day, zone));
    fact("the zone is that of the call", zone[0] == 0 && zone[1] == 0);
    /* time(2) tells the second of the last tick: just after a new one has begun it still gives the old one. */
    long seconds = v_time(NULL), stored = 0;
    fact("time gives what it stores, and that is the time of day",
         v_time(&stored) == stored && stored >= seconds && seconds >= day.tv_sec - 1 && seconds - day.tv_sec < 30);
    unsigned processor = 9999, node = 9999;
    number("getcpu", v_getcpu(&processor, &node, NULL));
    number("getcpu of nothing", v_getcpu(NULL, NULL, NULL));
    fact("the processor is one that there is", processor < (unsigned)sysconf(_SC_NPROCESSORS_CONF));

    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(back, 1) == 0) v_gettime(CLOCK_MONOTONIC, WILD);
    fact("a bad address is a fault at it, not EFAULT", fault_address == WILD);
    fact("which is what the call says", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, WILD) == -1 && errno == EFAULT);
    return 0;
}
