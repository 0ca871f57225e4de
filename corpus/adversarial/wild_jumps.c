/*
 * summary: jumps to 0, into data, into the kernel's half, to vsyscall and into non-canonical space: how each one dies
 * calls: rt_sigaction mmap
 */
#include "apus.h"
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;
static siginfo_t seen;
static unsigned long at;

static void fault(int number, siginfo_t *info, void *context) {
    seen = *info;
    at = ((ucontext_t *)context)->uc_mcontext.gregs[16];
    siglongjmp(back, number);
}

/* The signal that a call of the address ends in, or 0 when it comes back. */
static int __attribute__((noinline)) faults_at(unsigned long address) {
    int number = sigsetjmp(back, 1);
    if (number == 0) ((void (*)(void))address)();
    return number;
}

static void jump(const char *what, unsigned long address) {
    int number = faults_at(address);
    if (number == 0) {
        line("%s: came back", what);
        return;
    }
    line("%s: %s, code %d, at the target %s", what, signal_name(number), seen.si_code, at == address ? "yes" : "no");
}

static void to_zero(void) { ((void (*)(void))NOTHING)(); }

static void to_kernel(void) { ((void (*)(void))KERNEL_ADDRESS)(); }

static void return_to_nowhere(void) { __asm__ volatile("push $8; ret"); }

static void no_stack(void) { __asm__ volatile("xor %%esp, %%esp; push %%rax" ::: "memory"); }

static void stack_in_the_kernel(void) {
    __asm__ volatile("mov %0, %%rsp; push %%rax" ::"r"(KERNEL_ADDRESS) : "memory");
}

static void call_without_stack(void) {
    __asm__ volatile("mov $16, %%esp; mov $39, %%eax; syscall; push %%rax" ::: "memory");
}

int main(void) {
    static char stack_memory[65536];
    stack_t stack = {.ss_sp = stack_memory, .ss_size = sizeof stack_memory};
    no_core();
    wait_status("a jump to 0", in_child(to_zero));
    wait_status("a jump into the kernel's half", in_child(to_kernel));
    wait_status("a return to 8", in_child(return_to_nowhere));
    wait_status("a push without a stack", in_child(no_stack));
    wait_status("a push into the kernel's half", in_child(stack_in_the_kernel));
    wait_status("a system call without a stack, then a push", in_child(call_without_stack));

    must("sigaltstack", sigaltstack(&stack, NULL));
    handle_info(SIGSEGV, fault, SA_ONSTACK);
    handle_info(SIGBUS, fault, SA_ONSTACK);
    handle_info(SIGILL, fault, SA_ONSTACK);
    char *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(data, 0xc3, 16);
    jump("0", 0);
    jump("the second page", 4096);
    jump("data", (unsigned long)data);
    jump("the end of the user's half", 0x7ffffffff000);
    jump("the kernel's half", 0xffffffff81000000);
    jump("the kernel's last page", 0xfffffffffffff000);
    jump("a page in the vsyscall's neighbourhood", 0xffffffffff601000);
    fact("into the middle of the vsyscall page: SIGSEGV", faults_at(0xffffffffff600123) == SIGSEGV);
    must("mprotect", mprotect(data, 4096, PROT_READ | PROT_EXEC));
    jump("data made executable", (unsigned long)data);
    return 0;
}
