/*
 * summary: privileged, undefined and legacy instructions: the signal each gives, and what the old system call gates do
 * calls: rt_sigaction
 */
#include "apus.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t seen;

static void fault(int number, siginfo_t *info, void *context) {
    seen = *info;
    siglongjmp(back, context ? number : 1);
}

#define TRY(what, assembly)                                                                              \
    do {                                                                                                 \
        int number = sigsetjmp(back, 1);                                                                 \
        if (number != 0) line("%s: %s, code %d", what, signal_name(number), seen.si_code);               \
        else {                                                                                           \
            __asm__ volatile(assembly ::: "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r11", "memory", "cc"); \
            line("%s: no signal", what);                                                                 \
        }                                                                                                \
    } while (0)

static void sysenter(void) {
    __asm__ volatile("mov %%rsp, %%rbp; mov $20, %%eax; sysenter" ::: "rax", "rbp", "memory");
}

/* int 0x80 is the 32-bit gate: 20 is getpid there. A kernel may come without it; then it is a fault or no call. */
static int old_gate(int call) {
    int value;
    __asm__ volatile("int $0x80" : "=a"(value) : "a"(call), "b"(0) : "memory", "r8", "r9", "r10", "r11");
    return value;
}

int main(void) {
    static const int signals[] = {SIGSEGV, SIGILL, SIGTRAP, SIGBUS, SIGFPE};
    no_core();
    for (size_t i = 0; i < COUNT(signals); i++) handle_info(signals[i], fault, 0);
    TRY("ud0", ".byte 0x0f, 0xff, 0xc0");
    TRY("ud1", ".byte 0x0f, 0xb9, 0xc0");
    TRY("ud2", "ud2");
    TRY("an opcode that 64-bit mode lacks (push es)", ".byte 0x06");
    TRY("into", ".byte 0xce");
    TRY("lgdt", "lgdt (%%rsp)");
    TRY("lidt", "lidt (%%rsp)");
    TRY("wrmsr", "mov $0x10, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr");
    TRY("rdmsr", "mov $0x10, %%ecx; rdmsr");
    TRY("swapgs", "swapgs");
    TRY("sysret", "sysretq");
    TRY("iret with a bad stack", "push $0; push $0; push $0; push $0; push $0; iretq");
    TRY("out", "out %%al, $0x80");
    TRY("sti", "sti");
    TRY("invd", "invd");
    TRY("clts", "clts");
    TRY("mov from cr0", "mov %%cr0, %%rax");
    TRY("mov from dr7", "mov %%db7, %%rax");
    TRY("a selector that is none", "mov $0x1234, %%ax; mov %%ax, %%fs");
    TRY("int $0x81", "int $0x81");
    TRY("int $0xff", "int $0xff");
    TRY("cpuid", "xor %%eax, %%eax; cpuid");
    TRY("rdtsc", "rdtsc");
    TRY("fifteen prefixes and an instruction", ".fill 15, 1, 0x66; nop");
    int number = sigsetjmp(back, 1);
    int value = number == 0 ? old_gate(20) : 0;
    int returned = number == 0 && (value == getpid() || value == -ENOSYS);
    fact("int 0x80 is a 32-bit call, or no call, or a fault", returned || number == SIGSEGV || number == SIGSYS);
    pid_t child = must("fork", fork());
    if (child == 0) {
        static const int handled[] = {SIGSEGV, SIGILL, SIGTRAP, SIGBUS};
        for (size_t i = 0; i < COUNT(handled); i++) signal(handled[i], SIG_DFL);
        sysenter();
        _exit(0);
    }
    fact("sysenter ends it", wait_for(child) != 0);
    return 0;
}
