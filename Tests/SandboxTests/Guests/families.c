// Too many children: forks to the limit, threads by the thousand, every order of exits, vfork and its abuses, programs
// started from threads, processes that share what they should not.
#include "adversary.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/ptrace.h>

static volatile int over;

static void bomb(void) {
    struct rlimit limit = {150, 150};
    setrlimit(RLIMIT_NPROC, &limit);
    if (setgid(1000) < 0 || setuid(1000) < 0) _exit(0);
    alarm(3);
    setpgid(0, 0);
    for (;;) {
        pid_t child = fork();
        if (child < 0) {
            if (below(50) == 0) kill(0, SIGKILL);
            pause_for(100);
        }
    }
}

static void *wait_for_end(void *argument) {
    while (!over) pause_for(20000);
    return argument;
}

static void many_threads(void) {
    alarm(20);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    pthread_t threads[1100];
    int made = 0;
    while (made < some(1100) && pthread_create(&threads[made], &small, wait_for_end, 0) == 0) made++;
    over = 1;
    switch (below(4)) {
    case 0: execl("/bin/true", "true", (char *)0); break;
    case 1: kill(getpid(), SIGKILL); break;
    case 2: _exit(0);
    default:
        for (int i = 0; i < made; i++) pthread_join(threads[i], 0);
    }
}

static void *become(void *argument) {
    pause_for((long)below(2000));
    execl("/bin/true", "true", (char *)0);
    return argument;
}

static void threads_that_exec(void) {
    alarm(5);
    pthread_t thread;
    for (int i = 0; i < 8; i++) pthread_create(&thread, 0, become, 0);
    if (below(2)) syscall(SYS_exit, 0);
    pause_for(10000);
    fork();
    pause_for(50000);
}

static char stacks[16][65536];

static int share(void *argument) {
    switch ((uintptr_t)argument % 7) {
    case 0: execl("/bin/true", "true", (char *)0); return 1;
    case 1: kill(getpid(), SIGKILL); return 0;
    case 2: pause_for(20000); return 0;
    case 3: munmap(stacks[8], 65536); return 0;
    case 4: close(1); return 0;
    case 5: *(volatile int *)8 = 0; return 0;
    default: for (;;) {}
    }
}

static void shared_everything(void) {
    alarm(4);
    static const int flags[] = {
        CLONE_VM | SIGCHLD, CLONE_VM | CLONE_FILES | SIGCHLD, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD,
        CLONE_VM | CLONE_VFORK | SIGCHLD, CLONE_FILES | SIGCHLD, CLONE_VM | CLONE_PARENT | SIGCHLD, CLONE_VM,
        CLONE_VFORK | SIGCHLD, CLONE_VM | CLONE_SIGHAND | 34,
    };
    for (int i = 0; i < 16; i++) {
        uintptr_t kind = below(6);
        int flag = flags[below(sizeof flags / sizeof *flags)];
        pid_t child = clone(share, stacks[i] + 65536 - 64, flag, (void *)kind);
        if (child > 0 && below(3) == 0) kill(child, below(2) ? SIGKILL : SIGSTOP);
        if (child > 0 && below(3) == 0) waitpid(child, 0, WNOHANG | __WALL);
    }
    // One that computes for ever in the memory of the others: only a signal ends it.
    pid_t busy = clone(share, stacks[15] + 65536 - 64, CLONE_VM | SIGCHLD, (void *)6);
    pause_for(5000);
    if (busy > 0) kill(busy, SIGKILL), waitpid(busy, 0, 0);
    if (below(2)) kill(getpid(), SIGKILL);
}

static void vforks(void) {
    alarm(4);
    for (volatile int i = 0; i < 30; i++) {
        pid_t child = vfork();
        if (child == 0) {
            switch (below(5)) {
            case 0: _exit(0);
            case 1: kill(getpid(), SIGKILL); _exit(1);
            case 2: execl("/no/such/program", "x", (char *)0); _exit(1);
            case 3: if (vfork() == 0) _exit(0); _exit(0);
            default: execl("/bin/true", "true", (char *)0); _exit(1);
            }
        }
        if (child > 0) waitpid(child, 0, 0);
    }
    // The parent is killed while its child borrows its memory.
    pid_t middle = fork();
    if (middle == 0) {
        if (vfork() == 0) {
            pause_for(30000);
            _exit(0);
        }
        _exit(0);
    }
    pause_for(3000);
    kill(middle, SIGKILL);
    waitpid(middle, 0, 0);
}

/// A chain of processes each of which ends in a random order of its own.
static void generations(void) {
    alarm(5);
    for (int depth = 0; depth < 60; depth++) {
        pid_t child = fork();
        if (child < 0) break;
        if (child > 0) {
            if (below(3) == 0) _exit(0);
            if (below(3) == 0) waitpid(child, 0, 0);
            else pause_for((long)below(2000));
            _exit(0);
        }
        next_random();
        random_state += (uint64_t)getpid();
        if (below(10) == 0) setsid();
        if (below(10) == 0) setpgid(0, 0);
        if (below(10) == 0) prctl(PR_SET_CHILD_SUBREAPER, 1);
        if (below(10) == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
}

static void refused(void) {
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 || ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0 ||
        ptrace(PTRACE_SEIZE, getppid(), 0, 0) == 0)
        _exit(6);
    static const long numbers[] = {SYS_mount, SYS_pivot_root, SYS_init_module, SYS_kexec_load, SYS_bpf, SYS_reboot, SYS_setns};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (syscall(numbers[i], 1, 1, 1, 1, 1) >= 0) _exit(6);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 1);
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(bomb, is_short ? 1 : 6, "bomb"), ask_witness("a fork bomb");
        in_child(many_threads, 30, "many threads"), ask_witness("many threads");
        for (int i = 0; i < some(6); i++) in_child(threads_that_exec, 6, "threads that exec");
        ask_witness("threads that exec");
        for (int i = 0; i < some(16); i++) in_child(shared_everything, 6, "shared everything"), ask_witness("shared memory");
        for (int i = 0; i < some(2); i++) in_child(vforks, 6, "vforks"), ask_witness("vforks");
        for (int i = 0; i < some(3); i++) in_child(generations, 6, "generations"), ask_witness("generations");
        int status = in_child(refused, 5, "refused");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return fprintf(stderr, "a call that must be refused was not\n"), 1;
        double end = seconds_now() + 10;
        while (waitpid(-1, 0, WNOHANG) > 0 || (errno != ECHILD && seconds_now() < end && below(4) < 3)) {
            int left = waitpid(-1, 0, WNOHANG);
            if (left <= 0) break;
        }
    }
    end_witness();
    puts("families: done");
    return 0;
}
