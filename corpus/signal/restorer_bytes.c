/*
 * summary: the code that handlers return to stays what it was, however often they do: unwinders know it by its bytes
 * calls: rt_sigaction rt_sigreturn kill
 */
#include "apus.h"

enum { TIMES = 100 };

/* As C libraries have it, and with room behind it. */
__asm__(".text; .p2align 4; .globl own_restorer; own_restorer: mov $15, %rax; syscall; ret; .p2align 4, 0x90; nop; .p2align 4, 0x90; nop");
extern const char own_restorer[];

struct action {
    void (*handler)(int);
    unsigned long flags;
    const char *restorer;
    unsigned long mask;
};

static int handled;

static void handler(int number) { handled += number == SIGUSR1; }

static void stays(const char *what, const char *restorer) {
    char before[9];
    memcpy(before, restorer, sizeof before);
    for (int i = 0; i < TIMES; i++) kill(getpid(), SIGUSR1);
    bytes(what, restorer, sizeof before);
    fact("as before", memcmp(before, restorer, sizeof before) == 0);
    number("handled", handled);
}

int main(void) {
    struct action action;
    handle(SIGUSR1, handler, 0);
    must("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &action, 8));
    stays("the library's", action.restorer);
    action.restorer = own_restorer;
    must("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8));
    stays("its own", own_restorer);
    return 0;
}
