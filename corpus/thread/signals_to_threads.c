/*
 * summary: masks are per thread, dispositions per process; a process's signal goes to a thread that does not block it
 * calls: tgkill kill rt_sigprocmask rt_sigaction rt_sigpending
 */
#include "apus.h"
#include <pthread.h>
#include <semaphore.h>

static sem_t ready, go, handled;
static volatile pid_t handled_in;
static volatile pid_t tids[2];

static void handler(int number) {
    handled_in = number ? syscall(SYS_gettid) : 0;
    sem_post(&handled);
}

static void *open_to_usr1(void *argument) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    tids[0] = syscall(SYS_gettid);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    sem_post(&ready);
    while (sem_wait(&go) != 0) continue;
    return argument;
}

static void *blocks_all(void *argument) {
    sigset_t set;
    tids[1] = syscall(SYS_gettid);
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    fact("a new thread inherits its creator's mask", sigismember(&set, SIGUSR1));
    sigpending(&set);
    fact("but no pending signals of the creator's", !sigismember(&set, SIGUSR2));
    sem_post(&ready);
    while (sem_wait(&go) != 0) continue;
    sigpending(&set);
    fact("a signal to this thread is pending here", sigismember(&set, SIGUSR2));
    return argument;
}

static void await(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0) continue;
}

int main(void) {
    sigset_t set;
    pthread_t threads[2];
    sem_init(&ready, 0, 0);
    sem_init(&go, 0, 0);
    sem_init(&handled, 0, 0);
    handle(SIGUSR1, handler, 0);
    handle(SIGUSR2, handler, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    must("tgkill", syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2));
    pthread_create(&threads[0], NULL, open_to_usr1, NULL);
    await(&ready);
    pthread_create(&threads[1], NULL, blocks_all, NULL);
    await(&ready);

    for (int i = 0; i < 3; i++) {
        must("kill", kill(getpid(), SIGUSR1));
        await(&handled);
        fact("kill: handled by the thread that does not block it", handled_in == tids[0]);
    }
    must("tgkill", syscall(SYS_tgkill, getpid(), tids[0], SIGUSR1));
    await(&handled);
    fact("tgkill: handled by that thread", handled_in == tids[0]);

    must("pthread_kill", pthread_kill(threads[1], SIGUSR2) ? -1 : 0);
    sigset_t unblock;
    sigemptyset(&unblock);
    sigaddset(&unblock, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &unblock, NULL);
    await(&handled);
    fact("the main thread's own one is handled by it", handled_in == getpid());
    sigpending(&set);
    fact("the other thread's is not pending here", !sigismember(&set, SIGUSR2));
    sem_post(&go);
    sem_post(&go);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);

    pid_t child = must("fork", fork());
    if (child == 0) {
        pthread_create(&threads[0], NULL, open_to_usr1, NULL);
        handle(SIGUSR1, SIG_DFL, 0);
        must("tgkill", syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGTERM));
        for (;;) pause();
    }
    wait_status("a deadly signal to one thread ends the process", wait_for(child));
    return 0;
}
