/*
 * summary: siglongjmp out of handlers restores the mask it saved, again and again, also from nested handlers
 * calls: rt_sigprocmask rt_sigaction kill
 */
#include "apus.h"
#include <setjmp.h>

static sigjmp_buf with_mask, without_mask, outer;
static int times;

static int blocked(int number) {
    sigset_t set;
    must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
    return sigismember(&set, number);
}

static void jumps(int number) { siglongjmp(with_mask, number); }
static void jumps_without(int number) { siglongjmp(without_mask, number); }

static void inner(int number) {
    line("inner handler: USR1 blocked %d, USR2 blocked %d", blocked(SIGUSR1), blocked(SIGUSR2));
    siglongjmp(outer, number);
}

static void middle(int number) {
    kill(getpid(), number == SIGUSR1 ? SIGUSR2 : SIGUSR1);
    line("never reached");
}

int main(void) {
    handle(SIGUSR1, jumps, 0);
    if (sigsetjmp(with_mask, 1) != 0) times++;
    if (times < 1000) kill(getpid(), SIGUSR1);
    number("jumps with the mask", times);
    number("blocked afterwards", blocked(SIGUSR1));

    handle(SIGUSR1, jumps_without, 0);
    if (sigsetjmp(without_mask, 0) == 0) kill(getpid(), SIGUSR1);
    number("blocked after a jump that did not save the mask", blocked(SIGUSR1));
    sigset_t set;
    sigemptyset(&set);
    must("sigprocmask", sigprocmask(SIG_SETMASK, &set, NULL));

    handle(SIGUSR1, middle, 0);
    handle(SIGUSR2, inner, 0);
    if (sigsetjmp(outer, 1) == 0) kill(getpid(), SIGUSR1);
    line("out of two handlers: USR1 blocked %d, USR2 blocked %d", blocked(SIGUSR1), blocked(SIGUSR2));

    handle(SIGSEGV, jumps, 0);
    times = 0;
    if (sigsetjmp(with_mask, 1) != 0) times++;
    if (times < 100) *(volatile char *)8 = 1;
    number("jumps out of faults", times);
    return 0;
}
