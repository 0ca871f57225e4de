/*
 * summary: handlers run on the alternate stack when asked for, also after the normal one has overflowed
 * calls: sigaltstack rt_sigaction
 */
#include "apus.h"
#include <setjmp.h>

static char memory[65536];
static sigjmp_buf back;

static int on_alternate(void) {
    char here;
    return &here >= memory && &here < memory + sizeof memory;
}

static const char *flags_name(int flags) {
    return flags == 0 ? "0" : flags == SS_ONSTACK ? "SS_ONSTACK" : flags == SS_DISABLE ? "SS_DISABLE" : "other";
}

static void looks(int number) {
    stack_t now, other = {.ss_sp = memory, .ss_size = sizeof memory};
    fact("  on the alternate stack", on_alternate());
    must("sigaltstack", sigaltstack(NULL, &now));
    text("  its flags", flags_name(now.ss_flags));
    result("  changing it", sigaltstack(&other, NULL));
    if (number == SIGUSR2) {
        line("  a nested one:");
        kill(getpid(), SIGUSR1);
    }
}

static void overflowed(int number, siginfo_t *info, void *context) {
    line("%s, on the alternate stack: %s", signal_name(number), on_alternate() ? "yes" : "no");
    fact("a fault of the processor", info->si_code > 0 && context != NULL);
    siglongjmp(back, 1);
}

static int __attribute__((noinline)) recurse(int depth) {
    volatile char frame[4096];
    frame[0] = depth;
    return depth < 0 ? 0 : recurse(depth + 1) + frame[0];
}

int main(void) {
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, old;
    result("none at first", sigaltstack(NULL, &old));
    text("flags", flags_name(old.ss_flags));
    result("set", sigaltstack(&stack, &old));
    must("sigaltstack", sigaltstack(NULL, &old));
    line("flags %s, size %zu", flags_name(old.ss_flags), old.ss_size);
    fact("the address is right", old.ss_sp == memory);
    line("with SA_ONSTACK:");
    handle(SIGUSR1, looks, SA_ONSTACK);
    handle(SIGUSR2, looks, SA_ONSTACK);
    kill(getpid(), SIGUSR2);
    line("without:");
    handle(SIGUSR1, looks, 0);
    kill(getpid(), SIGUSR1);

    handle_info(SIGSEGV, overflowed, SA_ONSTACK);
    if (sigsetjmp(back, 1) == 0) number("recursion", recurse(1));
    line("back from a stack overflow");
    if (sigsetjmp(back, 1) == 0) number("recursion", recurse(1));
    line("back from a second one");

    stack.ss_size = 2047;
    result("2,047 bytes", syscall(SYS_sigaltstack, &stack, NULL));
    stack.ss_size = sizeof memory;
    stack.ss_flags = 0x10;
    result("an unknown flag", syscall(SYS_sigaltstack, &stack, NULL));
    stack.ss_flags = SS_ONSTACK;
    result("SS_ONSTACK as a request", syscall(SYS_sigaltstack, &stack, NULL));
    result("a wild pointer", syscall(SYS_sigaltstack, WILD, NULL));
    result("a wild result", syscall(SYS_sigaltstack, NULL, WILD));
    stack.ss_flags = SS_DISABLE;
    result("disable", sigaltstack(&stack, &old));
    must("sigaltstack", sigaltstack(NULL, &old));
    text("flags", flags_name(old.ss_flags));
    handle(SIGUSR1, looks, SA_ONSTACK);
    line("with SA_ONSTACK, but none:");
    kill(getpid(), SIGUSR1);
    return 0;
}
