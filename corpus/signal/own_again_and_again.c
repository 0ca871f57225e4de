/*
 * summary: signals that a thread sends to itself many times over, while what it does on them changes between two of them
 * calls: kill tgkill rt_sigreturn rt_sigaction sigaltstack
 */
#include "apus.h"
#include <pthread.h>
#include <setjmp.h>

enum { TIMES = 60 };

static volatile int first, second, wrong, stacked, depth;
static char *stack_now;
static sigjmp_buf back;
static pid_t self;
static pthread_t main_thread;
static volatile long fault[3];

static int blocked(int number) {
    sigset_t set;
    must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
    return sigismember(&set, number);
}

static void one(int number) {
    char here;
    first++;
    wrong += number != SIGUSR1 || !blocked(SIGUSR1);
    stacked += stack_now && &here >= stack_now && &here < stack_now + 32768;
}

static void other(int number) { second += number == SIGUSR1; }

static void told(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    int ok = info->si_signo == number && info->si_errno == 0 && info->si_pid == self && info->si_uid == getuid() &&
             info->si_code == (number == SIGUSR1 ? SI_USER : SI_TKILL) && !sigismember(&user->uc_sigmask, number);
    wrong += !ok || user->uc_flags != 7 || user->uc_link;
    fault[0] = user->uc_mcontext.gregs[REG_TRAPNO];
    fault[1] = user->uc_mcontext.gregs[REG_CR2];
    fault[2] = user->uc_mcontext.gregs[REG_ERR];
    first++;
}

/* Enters itself twice more before it is left. */
static void nests(int number) {
    first++;
    if (++depth < 3) kill(self, number);
    second += depth;
    wrong += blocked(number);
    depth--;
}

static void sends_another(int number) {
    int before = second;
    kill(self, SIGUSR2);
    wrong += number != SIGUSR1 || second != before + 1 || blocked(SIGUSR2);
    first++;
}

static void counts(int number) {
    wrong += number != SIGUSR2 || !blocked(SIGUSR1);
    second++;
}

static void holds_back(int number) {
    int before = second;
    kill(self, SIGUSR2);
    wrong += number != SIGUSR1 || second != before;
    first++;
}

static void jumps(int number) { siglongjmp(back, number); }

static void survives(int number, siginfo_t *info, void *context) {
    (void)info;
    first += number == SIGSEGV;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void often(int number) {
    for (int i = 0; i < TIMES; i++) kill(self, number);
}

static void tell(const char *what) {
    line("%s: %d %d, wrong %d", what, first, second, wrong);
    first = second = wrong = 0;
}

/* It has the signal blocked from its parent, and lets it in at one place. */
static void *takes(void *argument) {
    sigset_t set;
    sigemptyset(&set);
    wrong += sigsuspend(&set) != -1;
    return argument;
}

static void in_thread(int number) {
    first += number == SIGUSR1;
    wrong += pthread_equal(pthread_self(), main_thread);
}

static void as_child(void) {
    self = getpid();
    first = wrong = 0;
    often(SIGUSR1);
    for (int i = 0; i < TIMES; i++) syscall(SYS_tgkill, self, self, SIGUSR2);
    tell("in a child");
}

int main(void) {
    static char stacks[2][32768];
    struct sigaction action = {.sa_handler = holds_back};
    self = getpid();
    main_thread = pthread_self();
    handle(SIGUSR1, one, 0);
    often(SIGUSR1);
    tell("one handler");
    for (int i = 0; i < TIMES; i++) {
        handle(SIGUSR1, i % 2 ? one : other, 0);
        kill(self, SIGUSR1);
    }
    tell("one and the other");
    handle_info(SIGUSR1, told, 0);
    handle_info(SIGUSR2, told, 0);
    often(SIGUSR1);
    for (int i = 0; i < TIMES; i++) syscall(SYS_tgkill, self, gettid(), SIGUSR2);
    tell("what they are told");
    wait_status("the child", in_child(as_child));
    handle_info(SIGSEGV, survives, 0);
    for (int i = 0; i < TIMES; i++) {
        __asm__ volatile("movb %%al, (%%rdx)" ::"d"(16 + i) : "memory");
        kill(self, SIGUSR1);
        wrong += fault[0] != 14 || fault[1] != 16 + i || fault[2] != 6;
    }
    tell("after faults");
    handle(SIGUSR1, nests, SA_NODEFER);
    often(SIGUSR1);
    tell("three deep");
    handle(SIGUSR1, sends_another, 0);
    handle(SIGUSR2, counts, 0);
    often(SIGUSR1);
    tell("one within the other");
    sigaddset(&action.sa_mask, SIGUSR2);
    must("sigaction", sigaction(SIGUSR1, &action, NULL));
    often(SIGUSR1);
    number("still blocked", blocked(SIGUSR2));
    first += wrong;
    wrong = 0;
    line("one after the other: %d %d", first, second);
    first = second = 0;

    handle(SIGUSR1, one, SA_ONSTACK);
    for (int i = 0; i < TIMES; i++) {
        stack_t stack = {.ss_sp = stacks[i / 15 % 2], .ss_size = sizeof stacks[0]}, none = {.ss_flags = SS_DISABLE};
        stack_now = stack.ss_sp;
        if (i % 15 == 0) must("sigaltstack", sigaltstack(i % 30 == 0 ? &stack : &none, NULL));
        kill(self, SIGUSR1);
    }
    number("on the stack that was set", stacked);
    tell("with stacks");
    handle(SIGUSR1, jumps, 0);
    for (first = 0; first < TIMES;)
        if (sigsetjmp(back, 1) != 0) first++;
        else kill(self, SIGUSR1);
    number("blocked after jumps", blocked(SIGUSR1));
    tell("jumps");

    /* From the second thread on the process's signals are not only its first one's. */
    handle(SIGUSR1, other, 0);
    often(SIGUSR1);
    handle(SIGUSR1, in_thread, 0);
    pthread_t thread;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    must("pthread_sigmask", pthread_sigmask(SIG_BLOCK, &set, NULL));
    returned("pthread_create", pthread_create(&thread, NULL, takes, NULL));
    kill(self, SIGUSR1);
    returned("pthread_join", pthread_join(thread, NULL));
    must("pthread_sigmask", pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    tell("in the other thread");
    return 0;
}
