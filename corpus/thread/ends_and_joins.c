/*
 * summary: threads end while others join them, wait with a deadline or by hand, or are woken too early; some hold locks
 * calls: clone clone3 exit futex set_tid_address set_robust_list exit_group
 */
#include "apus.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { rounds = 300, few = 8 };

static int futex(volatile void *word, int operation, unsigned value, const struct timespec *until) {
    return syscall(SYS_futex, word, operation, value, until, NULL, ~0u);
}

static void *nothing(void *argument) { return argument; }

static void one_after_the_other(void) {
    int good = 0;
    for (long i = 0; i < rounds; i++) {
        pthread_t thread;
        void *result = NULL;
        if (pthread_create(&thread, NULL, nothing, (void *)i)) continue;
        if (i % 7 == 0) usleep(200);
        good += pthread_join(thread, &result) == 0 && result == (void *)i;
    }
    number("joined", good);
}

static void *waits_for(void *argument) {
    usleep(*(int *)argument);
    return argument;
}

static void many_at_once(void) {
    pthread_t threads[few * 4];
    int delays[few * 4], good = 0;
    for (int i = 0; i < few * 4; i++) {
        delays[i] = i * 37 % 11 * 300;
        must("pthread_create", -pthread_create(&threads[i], NULL, waits_for, &delays[i]));
    }
    for (int i = few * 4 - 1; i >= 0; i--) {
        struct timespec until;
        void *result = NULL;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 60;
        /* Every other one by the kernel's own wait, which has a deadline. */
        int error = i % 2 ? pthread_join(threads[i], &result) : pthread_timedjoin_np(threads[i], &result, &until);
        good += error == 0 && result == &delays[i];
    }
    number("of many, joined with and without a deadline", good);
}

static pthread_mutex_t lock;

static void *dies_with_lock(void *argument) {
    pthread_mutex_lock(&lock);
    return argument;
}

static void with_locks(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    int died = 0;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        pthread_mutex_init(&lock, &attributes);
        must("pthread_create", -pthread_create(&thread, NULL, dies_with_lock, NULL));
        pthread_join(thread, NULL);
        died += pthread_mutex_trylock(&lock) == EOWNERDEAD;
        pthread_mutex_destroy(&lock);
    }
    number("owners that died before they were joined", died);
}

/* Threads made by hand, whose word is where the test wants it. */
static char stacks[few][16384] __attribute__((aligned(64)));
static volatile int ended, delay;

static int body(void *argument) {
    if (delay) usleep(delay);
    __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_exit, 7);
    return argument != NULL;
}

static int start(int index, volatile int *word) {
    /* As threads of the C library, without CLONE_SETTLS. */
    return clone(body, stacks[index] + sizeof stacks[index], 0x350f00, NULL, word, NULL, word);
}

static int wait_for_zero(volatile int *word) {
    int value;
    while ((value = *word) != 0)
        if (futex(word, FUTEX_WAIT, value, NULL) < 0 && errno != EAGAIN && errno != EINTR) return -1;
    return 0;
}

static void words_of_ones_own(void) {
    int good = 0;
    int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 100; i++) {
        delay = i % 3 * 100;
        if (start(i % few, private + i % few) > 0) good += wait_for_zero(private + i % few) == 0;
    }
    number("private words, waited for", good);

    /* Memory that another process waits in. */
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    good = 0;
    for (int i = 0; i < 20; i++) {
        int pipe_ends[2], status = 1;
        must("pipe", pipe(pipe_ends));
        delay = 3000;
        shared[0] = 1;
        pid_t child = fork();
        if (child == 0) {
            char byte;
            close(pipe_ends[1]);
            read(pipe_ends[0], &byte, 1);
            _exit(wait_for_zero(shared) == 0 ? 0 : 1);
        }
        close(pipe_ends[0]);
        start(0, shared);
        close(pipe_ends[1]);
        waitpid(child, &status, 0);
        good += status == 0 && shared[0] == 0;
    }
    number("shared words, waited for by another process", good);

    /* The same place, private when the thread begins, shared when it ends. */
    good = 0;
    for (int i = 0; i < 20; i++) {
        int status = 1;
        int *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        delay = 20000;
        start(0, place);
        mmap(place, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        place[0] = 5;
        pid_t child = fork();
        if (child == 0) _exit(wait_for_zero(place) == 0 ? 0 : 1);
        waitpid(child, &status, 0);
        good += status == 0 && place[0] == 0;
        munmap(place, 4096);
    }
    number("words that became shared", good);
    /* No memory at all. */
    delay = 2000;
    ended = 0;
    start(1, private + 64);
    munmap(private, 4096);
    for (int i = 0; i < 2000 && !ended; i++) usleep(1000);
    number("ended without its word", ended);
}

/* A wait for the word that somebody ends too early goes on. */
static volatile int *awaited;
static volatile int woken;

static void *waits(void *argument) {
    int value = *awaited;
    if (value == 0 || futex(awaited, FUTEX_WAIT, value, NULL) == 0) __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return argument;
}

static void woken_by_hand(void) {
    pthread_t waiters[3];
    int total = 0;
    int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    awaited = private;
    delay = 400000;
    start(2, private);
    for (int i = 0; i < 3; i++) must("pthread_create", -pthread_create(&waiters[i], NULL, waits, NULL));
    usleep(100000);
    for (int i = 0; i < 2000 && total < 2; i++) {
        total += futex(awaited, FUTEX_WAKE, 2 - total, NULL);
        usleep(1000);
    }
    number("woken by hand", total);
    for (int i = 0; i < 3; i++) pthread_join(waiters[i], NULL);
    number("woken in all", woken);
    number("its word", *awaited);
}

/* What else an end gives to others, who sleep. */
static volatile unsigned priority_lock;
static int pipe_of_ones_own[2];

static void *takes(void *argument) {
    priority_lock = syscall(SYS_gettid);
    while (!(priority_lock & FUTEX_WAITERS)) usleep(1000);
    usleep(30000);
    return argument;
}

static void *has_descriptors(void *argument) {
    must("unshare", unshare(CLONE_FILES));
    *(volatile int *)argument = 1;
    usleep(30000);
    return argument;
}

static void *has_child(void *argument) {
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        write(pipe_of_ones_own[1], "c", 1);
        close(pipe_of_ones_own[1]);
        for (;;) pause();
    }
    *(volatile pid_t *)argument = child;
    usleep(30000);
    return NULL;
}

static void others_hear_of_it(void) {
    pthread_t thread;
    must("pthread_create", -pthread_create(&thread, NULL, takes, NULL));
    while (!priority_lock) usleep(1000);
    result("a lock is passed on", futex(&priority_lock, FUTEX_LOCK_PI, 0, NULL));
    line("its owner has died: %d", (priority_lock & FUTEX_OWNER_DIED) != 0);
    pthread_join(thread, NULL);

    char byte;
    volatile int is_open = 0;
    must("pipe", pipe(pipe_of_ones_own));
    must("pthread_create", -pthread_create(&thread, NULL, has_descriptors, (void *)&is_open));
    while (!is_open) usleep(1000);
    close(pipe_of_ones_own[1]);
    result("its descriptors are closed", read(pipe_of_ones_own[0], &byte, 1));
    pthread_join(thread, NULL);
    close(pipe_of_ones_own[0]);

    volatile pid_t child = 0;
    int status = 0;
    must("pipe", pipe(pipe_of_ones_own));
    must("pthread_create", -pthread_create(&thread, NULL, has_child, (void *)&child));
    must("read", read(pipe_of_ones_own[0], &byte, 1));
    while (!child) usleep(1000);
    waitpid(child, &status, 0);
    line("its child is told: signal %d", WTERMSIG(status));
    pthread_join(thread, NULL);
}

int main(void) {
    one_after_the_other();
    many_at_once();
    with_locks();
    words_of_ones_own();
    woken_by_hand();
    others_hear_of_it();
    return 0;
}
