// Signals faster than they can be handled: timers of a millisecond, handlers inside handlers, alternate stacks, jumps out
// of handlers, many threads, stops and continues, broken frames.
#include "adversary.h"

#include <pthread.h>
#include <poll.h>
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t taken;
static volatile int over;
static __thread sigjmp_buf home;
static __thread volatile int mayJump;
static volatile int nesting;

static void handle(int number) {
    taken++;
    if (nesting < 20 && taken % 7 == 0) {
        nesting++;
        raise(number == SIGUSR1 ? SIGUSR2 : SIGUSR1);
        nesting--;
    }
    if (mayJump && taken % 3 == 0) siglongjmp(home, 1);
}

static void install(int number, int flags) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
    if (flags & SA_RESTART) sigfillset(&action.sa_mask);
    sigaction(number, &action, 0);
}

static void *suffer(void *argument) {
    random_state ^= (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15ull;
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, 0);
    volatile double sum = 1;
    int pair[2];
    if (pipe(pair) < 0) return 0;
    char bytes[64];
    while (!over) {
        if (sigsetjmp(home, 1) == 0) {
            mayJump = 1;
            for (int i = 0; i < 1000; i++) sum = sum * 1.0000001 + 1e-9;
            switch (below(5)) {
            case 0: if (write(pair[1], bytes, 64) == 64 && read(pair[0], bytes, 64) < 0) break; break;
            case 1: pause_for(200); break;
            case 2: poll(0, 0, 1); break;
            case 3: sched_yield(); break;
            default: getppid();
            }
        }
        mayJump = 0;
        if (sum != sum) _exit(9);
    }
    return 0;
}

static void storm(void) {
    alarm(10);
    static const int numbers[] = {SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGURG, 34, 40, 64};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        install(numbers[i], (below(2) ? SA_ONSTACK : 0) | (below(2) ? SA_RESTART : 0) | (below(2) ? SA_NODEFER : 0));
    struct itimerval often = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_VIRTUAL, &often, 0);
    setitimer(ITIMER_PROF, &often, 0);
    for (int i = 0; i < 4; i++) {
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 34 + (int)below(3)};
        event.sigev_signo = numbers[below(8)];
        struct itimerspec fast = {{0, 100000}, {0, 100000}};
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timer_settime(timer, 0, &fast, 0);
    }
    pthread_t threads[6];
    for (long i = 0; i < 6; i++) pthread_create(&threads[i], 0, suffer, (void *)i);
    // Whoever inherits the other when this one is dead has deserved none of it.
    pid_t target = getpid(), other = fork();
    if (other == 0) {
        union sigval value = {.sival_int = 1};
        for (int i = 0; i < some(3000); i++) {
            kill(target, numbers[below(5)]);
            sigqueue(target, 34, value);
            if (i % 50 == 0) kill(target, SIGSTOP), kill(target, SIGCONT);
        }
        kill(target, SIGCONT);
        _exit(0);
    }
    mayJump = 0;
    double end = seconds_now() + (is_short ? 0.1 : 0.4);
    while (seconds_now() < end)
        for (int i = 0; i < 6; i++) pthread_kill(threads[i], numbers[below(8)]);
    over = 1;
    if (below(2)) for (int i = 0; i < 6; i++) pthread_join(threads[i], 0);
    kill(getpid(), below(2) ? SIGKILL : SIGTERM);
    _exit(0);
}

static void spoil(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    // The frame that rt_sigreturn will read: registers, mask, floating-point state and the rest.
    uint64_t *words = context;
    for (int i = 0; i < 6; i++) words[below(120)] = below(3) ? next_random() : below(4096);
    ucontext_t *user = context;
    if (below(2)) user->uc_mcontext.fpregs = (void *)(uintptr_t)(next_random() >> below(40));
}

static void spoil_frames(void) {
    alarm(3);
    struct sigaction action = {.sa_sigaction = spoil, .sa_flags = SA_SIGINFO | (below(2) ? SA_ONSTACK : 0)};
    sigaction(SIGUSR1, &action, 0);
    stack_t stack = {.ss_sp = (void *)(uintptr_t)(below(2) ? (uint64_t)(uintptr_t)malloc(65536) : next_random()), .ss_size = 65536};
    if (below(2)) sigaltstack(&stack, 0);
    for (int i = 0; i < 20; i++) raise(SIGUSR1);
}

/// Wild stack pointers at a signal, at a fault and at rt_sigreturn itself.
static void lose_the_stack(void) {
    alarm(3);
    install(SIGSEGV, below(2) ? SA_ONSTACK : 0);
    install(SIGUSR1, 0);
    uint64_t stack = below(2) ? next_random() : 0x7ef000000000ull + below(0x200000);
    uint64_t call = below(2) ? SYS_rt_sigreturn : SYS_getpid;
    if (below(2)) kill(getpid(), SIGUSR1);
    __asm__ volatile("mov %0, %%rsp\n\tsyscall\n\tmov (%%rsp), %%rax\n\tud2" ::"r"(stack), "a"(call) : "memory");
    __builtin_unreachable();
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 3);
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(storm, 12, "storm");
        ask_witness("a storm");
        for (int i = 0; i < some(20); i++) in_child(spoil_frames, 5, "spoilt frames");
        for (int i = 0; i < some(20); i++) in_child(lose_the_stack, 5, "lost stacks");
        ask_witness("broken frames");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("storms: done");
    return 0;
}
