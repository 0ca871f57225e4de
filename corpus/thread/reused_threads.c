/*
 * summary: one thread after the other: each begins as its creator is, whatever those before it have left behind
 * calls: clone clone3 exit sigaltstack rt_sigprocmask arch_prctl
 */
#include "apus.h"
#include <pthread.h>
#include <sys/prctl.h>

/* Not in every C library's headers. */
enum { set_gs = 0x1001, get_gs = 0x1004 };
enum { threads = 24 };

static unsigned control(void) {
    unsigned value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static void set_control(unsigned value) { __asm__ volatile("ldmxcsr %0" ::"m"(value)); }

static unsigned short x87(void) {
    unsigned short value;
    __asm__ volatile("fnstcw %0" : "=m"(value));
    return value;
}

struct report {
    unsigned control;
    unsigned short x87;
    int blocks, has_stack, is_new;
    unsigned long gs;
    char name[16];
    pid_t number;
};

static int numbers[threads];

static void *body(void *argument) {
    struct report *report = argument;
    stack_t stack;
    sigset_t mask;
    report->control = control();
    report->x87 = x87();
    report->has_stack = sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE);
    report->blocks = pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR1) == 1;
    syscall(SYS_arch_prctl, get_gs, &report->gs);
    prctl(PR_GET_NAME, report->name);
    report->number = syscall(SYS_gettid);

    /* What must not be there for the next one. */
    unsigned short word = 0x27f;
    __asm__ volatile("fldcw %0" ::"m"(word));
    set_control(0x9fc0);
    char *room = malloc(SIGSTKSZ);
    stack_t own = {.ss_sp = room, .ss_size = SIGSTKSZ};
    sigaltstack(&own, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    syscall(SYS_arch_prctl, set_gs, 0x12345000ul);
    prctl(PR_SET_NAME, "left behind");
    own.ss_flags = SS_DISABLE;
    sigaltstack(&own, NULL);
    free(room);
    return argument;
}

int main(void) {
    int good[7] = {0};
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    prctl(PR_SET_NAME, "creator");
    for (int i = 0; i < threads; i++) {
        /* Odd ones are made by a creator that rounds otherwise and blocks a signal. */
        set_control(i % 2 ? 0x5f80 : 0x1f80);
        pthread_sigmask(i % 2 ? SIG_BLOCK : SIG_UNBLOCK, &mask, NULL);
        struct report report = {0};
        pthread_t thread;
        void *result = NULL;
        if (pthread_create(&thread, NULL, body, &report) || pthread_join(thread, &result)) return 99;
        good[0] += result == &report;
        good[1] += (report.control & 0xffc0) == (control() & 0xffc0);
        good[2] += report.x87 == 0x37f;
        good[3] += !report.has_stack;
        good[4] += report.blocks == i % 2;
        good[5] += report.gs == 0;
        good[6] += !strcmp(report.name, "creator");
        numbers[i] = report.number;
    }
    int different = 0;
    for (int i = 1; i < threads; i++) different += numbers[i] != numbers[i - 1] && numbers[i] != getpid();
    static const char *const facts[] = {
        "joined", "rounds as its creator", "has its x87 control word", "has no signal stack", "blocks what its creator does",
        "has no gs base", "is called like its creator",
    };
    for (size_t i = 0; i < COUNT(facts); i++) line("%s: %d of %d", facts[i], good[i], threads);
    number("numbers that are new", different);
    return 0;
}
