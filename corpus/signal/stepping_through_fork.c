/*
 * summary: a program that steps through its own code by the trap flag is stepped through in its child, too
 * calls: fork rt_sigreturn
 */
#include "apus.h"
#include <ucontext.h>

long step_fork(void);
extern char step_begin[], step_end[];
__asm__(".text\n"
        ".globl step_fork, step_begin, step_end\n"
        "step_fork:\n"
        "  pushfq\n"
        "  orl $0x100, (%rsp)\n"
        "  popfq\n"
        "step_begin:\n"
        "  mov $57, %eax\n"
        "  syscall\n"
        "  nop\n"
        "  nop\n"
        "  nop\n"
        "  ret\n"
        "step_end:\n");

static volatile long steps, inside;

static void on_step(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    char *place = (char *)user->uc_mcontext.gregs[REG_RIP];
    steps += number == SIGTRAP && info->si_code == 2;
    if (place >= step_begin && place < step_end) inside++;
    else user->uc_mcontext.gregs[REG_EFL] &= ~0x100l;
}

int main(void) {
    handle_info(SIGTRAP, on_step, 0);
    pid_t child = (pid_t)step_fork();
    if (child == 0) {
        line("the child: %ld steps, %ld of them inside", steps, inside);
        exit(0);
    }
    must("waitpid", waitpid(child, NULL, 0));
    line("the parent: %ld steps, %ld of them inside", steps, inside);
    return 0;
}
