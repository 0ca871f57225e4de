/*
 * summary: the floating-point state in a handler's frame: how it is described, what a handler may change, what is refused
 * calls: rt_sigreturn rt_sigaction tgkill sigaltstack
 */
#include "apus.h"
#include <stdint.h>

#define MAGIC1 0x46505853u
#define MAGIC2 0x46505845u

enum edit {
    NONE, XMM, CONTROL, BROKEN_MAGIC, NO_STATE, BAD_CONTROL, COMPACTED, RESERVED, UNMAPPED, NO_SSE, NOTHING_PRESENT, UNKNOWN_PART,
    ELSEWHERE, PROMISES_MORE, BROKEN_END, EDITS,
};

static const char *const names[EDITS] = {
    "unchanged", "another xmm3", "another mxcsr", "broken magic number", "no state", "mxcsr with reserved bits", "compacted",
    "reserved bytes of the header", "state that is not there", "features without SSE", "nothing present", "an unknown component",
    "state at another place", "more than there can be", "broken closing number",
};

static volatile int edit, handled;
static uint64_t seen[2], fresh[2];
static unsigned fresh_control;
static uint16_t fresh_word;
static unsigned char copy[16384] __attribute__((aligned(64)));

static void handler(int number, siginfo_t *info, void *context) {
    __asm__ volatile("movups %%xmm3, %0; stmxcsr %1; fnstcw %2" : "=m"(fresh), "=m"(fresh_control), "=m"(fresh_word));
    ucontext_t *user = context;
    char *state = (char *)user->uc_mcontext.fpregs;
    unsigned *software = (unsigned *)(state + 464);
    uint64_t *header = (uint64_t *)(state + 512);
    memcpy(seen, state + 160 + 3 * 16, 16);
    handled += number == SIGUSR1 && info->si_signo == SIGUSR1;
    switch (edit) {
    case NONE:
        if (handled > 1) break;
        fact("aligned", (uintptr_t)state % 64 == 0);
        fact("above the frame", (uintptr_t)state > (uintptr_t)context);
        fact("magic number", software[0] == MAGIC1);
        fact("sizes", software[1] == software[4] + 4 && software[4] >= 576);
        fact("x87 and SSE", (software[2] & 3) == 3);
        fact("closing number", *(unsigned *)(state + software[4]) == MAGIC2);
        fact("no more present than promised", (header[0] & ~*(uint64_t *)(software + 2)) == 0);
        fact("header", header[1] == 0 && header[2] == 0 && header[7] == 0);
        fact("flags", user->uc_flags == 7);
        break;
    case XMM: memset(state + 160 + 3 * 16, 0x42, 16); break;
    case CONTROL: *(unsigned *)(state + 24) = 0x1fc0; break;
    case BROKEN_MAGIC: software[0] = 1; break;
    case NO_STATE: user->uc_mcontext.fpregs = NULL; break;
    case BAD_CONTROL: *(unsigned *)(state + 24) = 0xffff0000; break;
    case COMPACTED: header[1] = 1ul << 63; break;
    case RESERVED: header[2] = 1; break;
    case UNMAPPED: user->uc_mcontext.fpregs = (void *)WILD; break;
    case NO_SSE: software[2] = 1; break;
    case NOTHING_PRESENT: header[0] = 0; break;
    case UNKNOWN_PART: header[0] |= 1ul << 60; break;
    case ELSEWHERE:
        memcpy(copy, state, software[1]);
        memset(copy + 160 + 3 * 16, 0x43, 16);
        user->uc_mcontext.fpregs = (void *)copy;
        break;
    case PROMISES_MORE: software[4] = 1u << 20; break;
    case BROKEN_END: *(unsigned *)(state + software[4]) = 0; break;
    default: break;
    }
}

/* One signal to this thread with known xmm3, mxcsr and x87 state; tells what is left of them. */
static void signals(int tell) {
    uint64_t before[2] = {0x1122334455667788, 0x99aabbccddeeff00}, after[2];
    unsigned control = 0x1fa0, control_after;
    double x87;
    __asm__ volatile(
        "ldmxcsr %[control]; movups %[before], %%xmm3; fninit; fld1;"
        "mov %[number], %%eax; syscall;"
        "movups %%xmm3, %[after]; stmxcsr %[control_after]; fstpl %[x87]; fninit"
        : [after] "=m"(after), [control_after] "=m"(control_after), [x87] "=m"(x87)
        : [before] "m"(before), [control] "m"(control), [number] "i"(SYS_tgkill), "D"(getpid()), "S"(gettid()), "d"(SIGUSR1)
        : "rax", "rcx", "r11", "xmm3", "memory", "cc", "st");
    unsigned usual = 0x1f80;
    __asm__ volatile("ldmxcsr %0" ::"m"(usual));
    if (!tell) return;
    line("in the frame: %lx %lx", seen[0], seen[1]);
    line("in the handler: %lx %lx, mxcsr %x, control word %x", fresh[0], fresh[1], fresh_control, fresh_word);
    line("after it: %lx %lx, mxcsr %x, x87 %.1f", after[0], after[1], control_after, x87);
}

static void tell_of_child(const char *what, void (*body)(void)) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        body();
        _exit(0);
    }
    int status;
    must("waitpid", waitpid(child, &status, 0));
    if (WIFSIGNALED(status)) line("%s: %s", what, signal_name(WTERMSIG(status)));
    else line("%s: exit %d", what, WEXITSTATUS(status));
}

static void once(void) { signals(1); }

static void second(int number) {
    unsigned control = 0x1fe0;
    __asm__ volatile("pcmpeqd %%xmm3, %%xmm3; ldmxcsr %0" ::"m"(control) : "xmm3");
    handled += number == SIGUSR2;
}

/* Both are pending when they are let in: one frame stands upon the other. */
static void nested(void) {
    handle(SIGUSR2, second, 0);
    sigset_t both, old;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGUSR2);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &both, &old));
    signals(0);
    must("raise", raise(SIGUSR2));
    must("sigprocmask", sigprocmask(SIG_SETMASK, &old, NULL));
    number("handled", handled);
    line("in the first handler: %lx %lx, mxcsr %x", fresh[0], fresh[1], fresh_control);
}

static void often(void) {
    int good = 0;
    for (int i = 0; i < 500; i++) {
        signals(0);
        good += seen[0] == 0x1122334455667788 && fresh[0] == 0 && fresh_control == 0x1f80;
    }
    number("500 times", good);
    signals(1);
}

static void on_small_stack(void) {
    static char room[65536] __attribute__((aligned(4096)));
    for (size_t size = 2048; size <= 8192; size += 2048) {
        stack_t stack = {.ss_sp = room + 16384, .ss_size = size};
        outcome("sigaltstack", sigaltstack(&stack, NULL));
        handle_info(SIGUSR1, handler, SA_ONSTACK);
        pid_t child = fork();
        if (child == 0) {
            handled = 1;
            raise(SIGUSR1);
            _exit(handled);
        }
        int status;
        must("waitpid", waitpid(child, &status, 0));
        if (WIFSIGNALED(status)) line("stack of %zu: %s", size, signal_name(WTERMSIG(status)));
        else line("stack of %zu: exit %d", size, WEXITSTATUS(status));
    }
}

int main(void) {
    handle_info(SIGUSR1, handler, 0);
    for (edit = NONE; edit < EDITS; edit++) tell_of_child(names[edit], once);
    edit = NONE;
    handled = 1;
    tell_of_child("nested", nested);
    tell_of_child("often", often);
    tell_of_child("on small stacks", on_small_stack);
    return 0;
}
