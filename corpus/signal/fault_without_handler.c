/*
 * summary: a fault whose signal is ignored or blocked kills all the same; a signal that was sent waits
 * calls: rt_sigaction rt_sigprocmask kill
 */
#include "apus.h"
#include <sys/mman.h>

static void no_segv(int number) { (void)number; }

static void touch(void) { *(volatile char *)8 = 1; }

static void by_default(void) { touch(); }

static void ignored(void) {
    handle(SIGSEGV, SIG_IGN, 0);
    touch();
}

static void block(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
}

static void blocked(void) {
    handle(SIGSEGV, no_segv, 0);
    block();
    touch();
}

static void faults_again(int number) {
    line("in the handler of %s", signal_name(number));
    touch();
}

static void in_its_own_handler(void) {
    handle(SIGSEGV, faults_again, 0);
    touch();
}

static void sent_while_blocked(void) {
    handle(SIGSEGV, no_segv, 0);
    block();
    kill(getpid(), SIGSEGV);
    line("a sent SIGSEGV is just pending");
}

static void sent_while_ignored(void) {
    handle(SIGSEGV, SIG_IGN, 0);
    kill(getpid(), SIGSEGV);
    line("a sent SIGSEGV is ignored");
}

static void no_room_for_the_frame(void) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_sp = page, .ss_size = 4096};
    must("sigaltstack", sigaltstack(&stack, NULL));
    must("munmap", munmap(page, 4096));
    handle(SIGUSR1, no_segv, SA_ONSTACK);
    kill(getpid(), SIGUSR1);
    line("survived");
}

static void bad_return(void) {
    __asm__ volatile("mov $16, %%rsp; mov $15, %%eax; syscall" ::: "rax", "rcx", "r11", "memory");
}

static void illegal(void) { __asm__ volatile("ud2"); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void division(void) { __asm__ volatile("xor %%ecx, %%ecx; idiv %%ecx" ::: "rax", "rcx", "rdx", "cc"); }

int main(void) {
    no_core();
    wait_status("by default", in_child(by_default));
    wait_status("ignored", in_child(ignored));
    wait_status("blocked, with a handler", in_child(blocked));
    wait_status("in its own handler", in_child(in_its_own_handler));
    wait_status("sent while blocked", in_child(sent_while_blocked));
    wait_status("sent while ignored", in_child(sent_while_ignored));
    wait_status("no room for the handler's frame", in_child(no_room_for_the_frame));
    wait_status("rt_sigreturn with a wild stack", in_child(bad_return));
    wait_status("an illegal instruction", in_child(illegal));
    wait_status("a breakpoint", in_child(breakpoint));
    wait_status("a division by zero", in_child(division));
    return 0;
}
