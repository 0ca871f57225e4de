// Threads that block in handlers on alternate stacks, and never come back; as many of them as there may be, and signals for
// all. Then the process is stopped, continued, replaced by a program from one of its threads, or killed.
#include "adversary.h"

#include <pthread.h>
#include <poll.h>
#include <linux/futex.h>

static volatile int taken;
static uint32_t word;
static int ends[2];

static void hold(int number) {
    __atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
    char byte;
    switch (number % 5) {
    case 0: if (read(ends[0], &byte, 1) < 0) return; break;
    case 1: poll(0, 0, -1); break;
    case 2: syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0); break;
    case 3: pause(); break;
    default: for (;;) sched_yield();
    }
}

static void *keep(void *argument) {
    stack_t stack = {.ss_sp = mmap(0, 16384, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 16384};
    sigaltstack(&stack, 0);
    for (;;) {
        if ((uintptr_t)argument % 3 == 0) pause();
        else if ((uintptr_t)argument % 3 == 1) syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
        else pause_for(1000);
    }
}

static void take_hostages(void) {
    alarm(8);
    setpgid(0, 0);
    if (pipe(ends) < 0) return;
    for (int number = 34; number < 65; number++) {
        struct sigaction action = {.sa_handler = hold, .sa_flags = SA_ONSTACK | (below(2) ? SA_NODEFER : 0) | (below(2) ? SA_RESTART : 0)};
        if (number != 39) sigaction(number, &action, 0);
    }
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 32768);
    static pthread_t threads[1000];
    long made = 0, wanted = (long)(is_short ? 60 : 200 + below(750));
    while (made < wanted && pthread_create(&threads[made], &small, keep, (void *)made) == 0) made++;
    // The spinning kind is for few: they would only burn the processors.
    for (int pass = 0; pass < 3; pass++)
        for (long i = 0; i < made; i++) {
            int number = 40 + (int)below(20);
            if (number % 5 == 4 && below(50)) number++;
            pthread_kill(threads[i], number);
        }
    pause_for(50000);
    switch (below(6)) {
    case 0: kill(0, SIGSTOP); break;
    case 1: execl("/bin/true", "true", (char *)0); break;
    case 2: kill(getpid(), SIGKILL); break;
    case 3:
        if (fork() == 0) execl("/bin/true", "true", (char *)0);
        break;
    case 4: {
        uint64_t all = ~0ull;
        syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
        for (long i = 0; i < made; i++) pthread_kill(threads[i], 42);
        break;
    }
    default: syscall(SYS_exit, 0);
    }
    _exit(0);
}

static void *become(void *argument) {
    while (!taken) sched_yield();
    execl("/bin/true", "true", (char *)0);
    return argument;
}

/// exec from one of many threads that all try, while signals come.
static void exec_storm(void) {
    alarm(4);
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGUSR1, &action, 0);
    pthread_t threads[24];
    for (long i = 0; i < 24; i++)
        if (pthread_create(&threads[i], 0, below(2) ? become : keep, (void *)i)) _exit(0);
    taken = 1;
    for (int i = 0; i < 200; i++) kill(getpid(), SIGUSR1);
    pause_for((long)below(5000));
    if (below(2)) syscall(SYS_exit, 0);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 4);
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(take_hostages, 3, "hostages");
        ask_witness("hostages");
        for (int i = 0; i < some(16); i++) in_child(exec_storm, 3, "exec storm");
        ask_witness("an exec storm");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("hostages: done");
    return 0;
}
