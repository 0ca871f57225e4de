/*
 * summary: divisions by zero, illegal instructions, breakpoints, single steps and alignment checks as signals
 * calls: rt_sigaction rt_sigreturn
 */
#include "apus.h"
#include <setjmp.h>

#define RIP 16
#define EFL 17

static sigjmp_buf back;
static siginfo_t seen;
static int at_instruction;
static volatile int steps;

static void fault(int number, siginfo_t *info, void *context) {
    ucontext_t *state = context;
    seen = *info;
    at_instruction = info->si_addr == (void *)state->uc_mcontext.gregs[RIP];
    siglongjmp(back, number);
}

static void steps_on(int number, siginfo_t *info, void *context) {
    ucontext_t *state = context;
    if (steps == 0) line("single step: %s, code %d", signal_name(number), info->si_code);
    if (++steps == 4) state->uc_mcontext.gregs[EFL] &= ~0x100l;
}

static void show(const char *what, int number) {
    line("%s: %s, code %d, si_addr is the instruction: %s", what, signal_name(number), seen.si_code,
         at_instruction ? "yes" : "no");
}

#define TRY(what, assembly)                          \
    do {                                             \
        int number = sigsetjmp(back, 1);             \
        if (number != 0) show(what, number);         \
        else {                                       \
            __asm__ volatile(assembly ::: "rax", "rcx", "rdx", "memory", "cc"); \
            line("%s: no signal", what);             \
        }                                            \
    } while (0)

int main(void) {
    handle_info(SIGFPE, fault, 0);
    handle_info(SIGILL, fault, 0);
    handle_info(SIGTRAP, fault, 0);
    handle_info(SIGSEGV, fault, 0);
    handle_info(SIGBUS, fault, 0);
    TRY("division by zero", "xor %%ecx, %%ecx; mov $1, %%eax; cdq; idiv %%ecx");
    TRY("the smallest number by -1", "mov $-1, %%ecx; mov $0x80000000, %%eax; cdq; idiv %%ecx");
    TRY("ud2", "ud2");
    TRY("int3", "int3");
    TRY("int $3", "int $3");
    TRY("hlt", "hlt");
    TRY("cli", "cli");
    TRY("in", "in $0x60, %%al");
    TRY("int $0x20", "int $0x20");
    TRY("mov to cr3", "mov %%rax, %%cr3");
    TRY("icebp", ".byte 0xf1");
    TRY("lock nop", ".byte 0xf0, 0x90");
    TRY("an SSE division by zero, masked",
        "pxor %%xmm0, %%xmm0; mov $1, %%eax; cvtsi2sd %%eax, %%xmm1; divsd %%xmm0, %%xmm1");
    TRY("an SSE division by zero, unmasked",
        "sub $128, %%rsp; movl $0x1d80, (%%rsp); ldmxcsr (%%rsp); add $128, %%rsp; pxor %%xmm0, %%xmm0; mov $1, %%eax;"
        "cvtsi2sd %%eax, %%xmm1; divsd %%xmm0, %%xmm1");
    unsigned normal = 0x1f80;
    __asm__ volatile("ldmxcsr %0" ::"m"(normal));
    TRY("an aligned load of an odd address", "sub $256, %%rsp; movaps 1(%%rsp), %%xmm0; add $256, %%rsp");
    handle_info(SIGTRAP, steps_on, 0);
    __asm__ volatile("sub $128, %%rsp;"
                     "pushfq; orl $0x100, (%%rsp); popfq; nop; nop; nop; nop; nop; nop; add $128, %%rsp" :::
                     "memory", "cc");
    number("steps until the handler cleared the flag", steps);
    return 0;
}
