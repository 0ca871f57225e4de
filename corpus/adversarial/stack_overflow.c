/*
 * summary: endless recursion ends in SIGSEGV: without a handler, with one on the same stack, in a thread
 * calls: rt_sigaction prlimit64 clone3
 */
#include "apus.h"
#include <pthread.h>
#include <setjmp.h>

static sigjmp_buf back;

static int __attribute__((noinline)) recurse(volatile int *previous) {
    volatile int frame[256];
    frame[0] = previous[0] + 1;
    if (frame[0] < 0) return 0;
    return recurse(frame) + frame[0]; /* no tail call */
}

static void start(void) {
    volatile int first[1] = {0};
    number("never reached", recurse(first));
}

static void handler(int number) { line("never reached either: %d", number); }

static void with_a_handler_on_the_same_stack(void) {
    handle(SIGSEGV, handler, 0);
    start();
}

static void *in_thread(void *argument) {
    start();
    return argument;
}

static void in_a_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
}

static void jumps(int number) { siglongjmp(back, number); }

static void over_and_over(void) {
    static char memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    must("sigaltstack", sigaltstack(&stack, NULL));
    handle(SIGSEGV, jumps, SA_ONSTACK);
    volatile int times = 0;
    if (sigsetjmp(back, 1) != 0) times++;
    if (times < 20) start();
    number("survived overflows", times);
}

static void huge_frame(void) {
    volatile char *far = (volatile char *)__builtin_frame_address(0) - (64l << 20);
    *far = 1;
    line("survived");
}

int main(void) {
    no_core();
    struct rlimit limit = {8 << 20, 8 << 20};
    must("setrlimit", setrlimit(RLIMIT_STACK, &limit));
    wait_status("a limit of 8 MiB", in_child(start));
    limit.rlim_cur = limit.rlim_max = 1 << 20;
    must("setrlimit", setrlimit(RLIMIT_STACK, &limit));
    wait_status("a limit of a mebibyte", in_child(start));
    wait_status("a handler on the same stack", in_child(with_a_handler_on_the_same_stack));
    wait_status("in a thread", in_child(in_a_thread));
    wait_status("over and over", in_child(over_and_over));
    wait_status("64 MiB below the stack pointer", in_child(huge_frame));
    return 0;
}
