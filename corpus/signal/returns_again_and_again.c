/*
 * summary: handlers of a thread's own signals change their frames before they return, many times over
 * calls: rt_sigreturn tgkill
 */
#include "apus.h"
#include <stdint.h>

enum { TIMES = 60 };

enum edit { NONE, BLOCKS, LETS_IN, RAX, FLAGS, VECTOR, CONTROL, STEPS, LOST, SEGMENT, BAD_CONTROL, NO_STATE, ODD_STATE, STACK, EDITS };

static const char *const names[EDITS] = {
    "unchanged", "blocks another", "lets another in", "another rax", "other flags", "another xmm3", "another mxcsr",
    "goes by steps", "no address of code", "no segment of code", "mxcsr with reserved bits", "no state", "a state at an odd place",
    "another stack",
};

static volatile int edit, handled, let_in, steps, wrong;

static int blocked(int number) {
    sigset_t set;
    must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
    return sigismember(&set, number);
}

static void changes(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    greg_t *g = user->uc_mcontext.gregs;
    char *state = (char *)user->uc_mcontext.fpregs;
    static char copy[16384] __attribute__((aligned(64)));
    uint64_t fresh[2];
    unsigned control;
    handled += number == SIGUSR1 && info->si_signo == SIGUSR1;
    __asm__ volatile("movups %%xmm3, %0; stmxcsr %1" : "=m"(fresh), "=m"(control));
    wrong += fresh[0] || fresh[1] || control != 0x1f80;
    /* Present even where they are as in the beginning, or what a handler puts there would not count. */
    wrong += (*(uint64_t *)(state + 512) & 3) != 3;
    /* What a handler leaves in registers must not come back with it. */
    __asm__ volatile("pcmpeqd %%xmm3, %%xmm3; fninit; fldpi" ::: "xmm3", "st");
    switch (edit) {
    case BLOCKS: sigaddset(&user->uc_sigmask, SIGUSR2); break;
    case LETS_IN: sigdelset(&user->uc_sigmask, SIGUSR2); break;
    case RAX: g[REG_RAX] = -512 - handled % 5; break;
    /* Carry, and what no program may set: the I/O privilege level. */
    case FLAGS: g[REG_EFL] |= 0x3001; break;
    case VECTOR: memset(state + 160 + 3 * 16, 0x42, 16); break;
    case CONTROL: *(unsigned *)(state + 24) = 0x1fc0; break;
    case STEPS: g[REG_EFL] |= 0x100; break;
    case LOST: g[REG_RIP] = (greg_t)0x8000000000000000; break;
    case SEGMENT: g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffl) | 0x2b; break;
    case BAD_CONTROL: *(unsigned *)(state + 24) = 0xffff0000; break;
    case NO_STATE: user->uc_mcontext.fpregs = NULL; break;
    case ODD_STATE:
        memcpy(copy + 8, state, ((unsigned *)(state + 464))[1]);
        user->uc_mcontext.fpregs = (void *)(copy + 8);
        break;
    case STACK:
        user->uc_stack.ss_sp = copy;
        user->uc_stack.ss_size = sizeof copy;
        user->uc_stack.ss_flags = 0;
        break;
    default: break;
    }
}

static void lets_in(int number) { let_in += number == SIGUSR2; }

static void step(int number, siginfo_t *info, void *context) {
    steps += number == SIGTRAP && info->si_code == TRAP_TRACE;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100l;
}

/* One signal, with known xmm3, mxcsr and x87 state; counts what has come back as it was. */
static void signals(int tell) {
    uint64_t before[2] = {0x1122334455667788, 0x99aabbccddeeff00}, after[2] = {0}, flags = 0;
    unsigned control = 0x1fa0, control_after = 0, usual = 0x1f80;
    double x87 = 0;
    long value;
    __asm__ volatile(
        "ldmxcsr %[control]; movups %[before], %%xmm3; fninit; fld1; test %%eax, %%eax; mov %[number], %%eax; syscall;"
        "pushfq; popq %[flags]; movups %%xmm3, %[after]; stmxcsr %[control_after]; fstpl %[x87]; fninit"
        : [after] "=m"(after), [control_after] "=m"(control_after), [x87] "=m"(x87), "=a"(value), [flags] "=m"(flags)
        : [before] "m"(before), [control] "m"(control), [number] "i"(SYS_tgkill), "D"(getpid()), "S"(gettid()), "d"(SIGUSR1)
        : "rcx", "r11", "xmm3", "memory", "cc", "st");
    __asm__ volatile("ldmxcsr %0" ::"m"(usual));
    if (tell)
        line("%s: rax %ld, carry %d, level %d, xmm3 %lx %lx, mxcsr %x, x87 %.1f, blocked %d", names[edit], value, (int)(flags & 1),
             (int)(flags >> 12 & 3), after[0], after[1], control_after, x87, blocked(SIGUSR2));
}

static void last_one(void) {
    no_core();
    int wanted = edit;
    edit = NONE;
    for (int i = 0; i < TIMES; i++) signals(0);
    edit = wanted;
    signals(1);
    stack_t stack;
    must("sigaltstack", sigaltstack(NULL, &stack));
    line("handled %d, steps %d, a stack of %zu", handled, steps, stack.ss_size);
}

int main(void) {
    handle_info(SIGUSR1, changes, 0);
    handle_info(SIGTRAP, step, 0);
    handle(SIGUSR2, lets_in, 0);
    for (edit = NONE; edit < STEPS; edit++) {
        for (int i = 0; i < TIMES; i++) {
            /* It waits to be let in by the frame. */
            if (edit == LETS_IN) must("kill", kill(getpid(), SIGUSR2));
            signals(i == TIMES - 1);
            if (edit != LETS_IN) continue;
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGUSR2);
            must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
        }
        line("handled %d, let in %d, wrong %d", handled, let_in, wrong);
        handled = let_in = 0;
    }
    for (; edit < EDITS; edit++) wait_status(names[edit], in_child(last_one));
    /* A thread that has used neither. */
    edit = VECTOR;
    handled = wrong = 0;
    unsigned char in_xmm3[16] = {0};
    for (int i = 0; i < TIMES; i++) {
        __asm__ volatile(
            "fninit; pxor %%xmm0, %%xmm0; pxor %%xmm1, %%xmm1; pxor %%xmm2, %%xmm2; pxor %%xmm3, %%xmm3; pxor %%xmm4, %%xmm4;"
            "pxor %%xmm5, %%xmm5; pxor %%xmm6, %%xmm6; pxor %%xmm7, %%xmm7; pxor %%xmm8, %%xmm8; pxor %%xmm9, %%xmm9;"
            "pxor %%xmm10, %%xmm10; pxor %%xmm11, %%xmm11; pxor %%xmm12, %%xmm12; pxor %%xmm13, %%xmm13; pxor %%xmm14, %%xmm14;"
            "pxor %%xmm15, %%xmm15; mov %[number], %%eax; syscall; movups %%xmm3, %[after]"
            : [after] "=m"(in_xmm3)
            : [number] "i"(SYS_tgkill), "D"(getpid()), "S"(gettid()), "d"(SIGUSR1)
            : "rax", "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
        wrong += in_xmm3[0] != 0x42 || in_xmm3[15] != 0x42;
    }
    line("into unused registers: handled %d, wrong %d", handled, wrong);
    return 0;
}
