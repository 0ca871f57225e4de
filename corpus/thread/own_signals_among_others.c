/*
 * summary: threads enter and leave handlers of their own signals while others send to them and change what they do
 * calls: tgkill rt_sigaction rt_sigprocmask rt_sigreturn
 */
#include "apus.h"
#include <pthread.h>

enum { THREADS = 2, OWN = 1500, SENT = 300 };

static long by_one, by_other, queued, shared, wrong;
static int ended, over;
static __thread volatile int inside, mine;

/* Its mask is full: nothing may come before it is left. */
static void enter(void) {
    if (inside++) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
}

static void one(int number) {
    enter();
    mine += number == SIGUSR1;
    __atomic_add_fetch(&by_one, 1, __ATOMIC_SEQ_CST);
    inside--;
}

static void other(int number) {
    enter();
    mine += number == SIGUSR1;
    __atomic_add_fetch(&by_other, 1, __ATOMIC_SEQ_CST);
    inside--;
}

static void comes(int number) {
    enter();
    __atomic_add_fetch(number == SIGRTMIN ? &queued : &shared, 1, __ATOMIC_SEQ_CST);
    inside--;
}

static void *sends_to_itself(void *argument) {
    (void)argument;
    pid_t process = getpid(), thread = gettid();
    for (int i = 1; i <= OWN; i++) {
        syscall(SYS_tgkill, process, thread, SIGUSR1);
        /* It has come before the call returned, whichever handler it was. */
        if (mine != i) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
        sigset_t set;
        must("pthread_sigmask", pthread_sigmask(SIG_BLOCK, NULL, &set));
        for (int number = 1; number < 32; number++)
            if (sigismember(&set, number)) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) usleep(500);
    return NULL;
}

static void install(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigfillset(&action.sa_mask);
    must("sigaction", sigaction(number, &action, NULL));
}

int main(void) {
    install(SIGUSR1, one);
    install(SIGRTMIN, comes);
    install(SIGRTMIN + 1, comes);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) must("pthread_create", pthread_create(&threads[i], NULL, sends_to_itself, NULL) ? -1 : 0);
    sigset_t all;
    sigfillset(&all);
    must("pthread_sigmask", pthread_sigmask(SIG_BLOCK, &all, NULL));
    for (int i = 0; i < SENT; i++) {
        while (pthread_kill(threads[i % THREADS], SIGRTMIN) == EAGAIN) usleep(100);
        while (sigqueue(getpid(), SIGRTMIN + 1, (union sigval){0})) usleep(100);
        install(SIGUSR1, i % 2 ? one : other);
    }
    while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < THREADS || __atomic_load_n(&queued, __ATOMIC_SEQ_CST) < SENT ||
           __atomic_load_n(&shared, __ATOMIC_SEQ_CST) < SENT)
        usleep(500);
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    number("their own", by_one + by_other);
    number("to a thread", queued);
    number("to the process", shared);
    number("wrong", wrong);
    return 0;
}
