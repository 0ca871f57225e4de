/*
 * summary: a handler's frame keeps registers, red zone, SSE and x87 state; changes to it are taken over
 * calls: rt_sigreturn rt_sigaction kill
 */
#include "apus.h"
#include <stdint.h>

static volatile int handled;

/* Spoils everything that a function may and more: what the frame saved must come back. */
static void spoils(int number) {
    handled += number == SIGUSR1;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm1; movaps %%xmm0, %%xmm15; fninit; fldpi" :::
                     "xmm0", "xmm1", "xmm15", "memory");
    unsigned control = 0x1fc0;
    __asm__ volatile("ldmxcsr %0; std; cld" ::"m"(control));
}

static void moves_on(int number, siginfo_t *info, void *context) {
    ucontext_t *state = context;
    if (number == SIGILL && info->si_signo == SIGILL) state->uc_mcontext.gregs[16] += 2;
    state->uc_mcontext.gregs[13] = 1234; /* rax */
    sigaddset(&state->uc_sigmask, SIGUSR2);
}

int main(void) {
    handle(SIGUSR1, spoils, 0);
    uint64_t out[8] = {0}, vector[2] = {0x1122334455667788, 0x99aabbccddeeff00}, after[4] = {0};
    double x87 = 0;
    unsigned control = 0;
    long pid = getpid(), tgid = pid;
    __asm__ volatile(
        "mov $0x1111, %%r8; mov $0x2222, %%r9; mov $0x3333, %%r10; mov $0x4444, %%r12; mov $0x5555, %%r15;"
        "movq $0x7777, -8(%%rsp); movq $0x8888, -120(%%rsp);"
        "movups (%[vector]), %%xmm0; movups (%[vector]), %%xmm15; fninit; fld1;"
        "mov $62, %%eax; mov %[pid], %%rdi; mov $10, %%esi; syscall;"
        "mov %%r8, (%[out]); mov %%r9, 8(%[out]); mov %%r10, 16(%[out]); mov %%r12, 24(%[out]); mov %%r15, 32(%[out]);"
        "mov -8(%%rsp), %%r8; mov %%r8, 40(%[out]); mov -120(%%rsp), %%r8; mov %%r8, 48(%[out]); mov %%rax, 56(%[out]);"
        "movups %%xmm0, (%[after]); movups %%xmm15, 16(%[after]); fstpl (%[x87]);"
        ::[out] "b"(out), [vector] "r"(vector), [pid] "d"(tgid), [after] "r"(after), [x87] "r"(&x87)
        : "rax", "rcx", "rdi", "rsi", "r8", "r9", "r10", "r11", "r12", "r15", "xmm0", "xmm15", "memory", "cc", "st");
    __asm__ volatile("stmxcsr %0" : "=m"(control));
    number("handled", handled);
    line("registers: %lx %lx %lx %lx %lx", out[0], out[1], out[2], out[3], out[4]);
    line("red zone: %lx %lx", out[5], out[6]);
    number("kill's result", (long)out[7]);
    line("xmm0: %lx %lx", after[0], after[1]);
    line("xmm15: %lx %lx", after[2], after[3]);
    line("x87: %.3f", x87);
    line("mxcsr: %x", control);

    handle_info(SIGILL, moves_on, 0);
    long value;
    __asm__ volatile("mov $5, %%eax; ud2" : "=a"(value)::"memory");
    number("rax as the handler set it", value);
    sigset_t set;
    must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
    fact("the mask as the handler set it", sigismember(&set, SIGUSR2));
    fact("the pid did not change", getpid() == pid);
    return 0;
}
