/*
 * summary: private waits and wake-ups of every kind together: exact counts, time-outs, handlers, requeue, stop, kill, exec
 * calls: futex
 */
#include "apus.h"
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#define WAIT (0 | 128)
#define WAKE (1 | 128)
#define CMP_REQUEUE (4 | 128)
#define WAKE_OP (5 | 128)
#define WAIT_BITSET (9 | 128)
#define WAKE_BITSET (10 | 128)

struct waiter {
    pthread_t thread;
    uint32_t *word;
    /* In seconds; 0 for none. */
    int timeout;
    uint32_t bits;
    pid_t id;
    long got;
    int error;
};

static uint32_t first, second;
static volatile int handled;

static long futex(uint32_t *address, int operation, uint32_t value, const void *time, uint32_t *other, uint32_t bits) {
    return syscall(SYS_futex, address, operation, value, time, other, bits);
}

/* True as soon as /proc says that all of them sleep; they may do so at other things before. */
static int all_sleep(const struct waiter *waiters, int count) {
    for (int i = 0; i < 100; i++) {
        int asleep = 0;
        /* Long enough for nearly always: so the calls are the same each time. */
        usleep(100000);
        for (int n = 0; n < count; n++) {
            char path[64], text[256] = "";
            pid_t id = __atomic_load_n(&waiters[n].id, __ATOMIC_ACQUIRE);
            if (id == 0) break;
            snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
            FILE *file = fopen(path, "r");
            if (!file) break;
            if (fgets(text, sizeof text, file)) {
                char *end = strrchr(text, ')');
                asleep += end && end[2] == 'S';
            }
            fclose(file);
        }
        if (asleep == count) return 1;
    }
    return 0;
}

static void *waits(void *argument) {
    struct waiter *self = argument;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += self->timeout;
    __atomic_store_n(&self->id, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    self->got = self->bits ? futex(self->word, WAIT_BITSET, 0, self->timeout ? &until : NULL, NULL, self->bits)
                           : futex(self->word, WAIT, 0, NULL, NULL, 0);
    self->error = self->got < 0 ? errno : 0;
    return NULL;
}

static void begin(struct waiter *waiters, int count, uint32_t *word, int timeout, uint32_t bits) {
    for (int i = 0; i < count; i++) {
        memset(&waiters[i], 0, sizeof waiters[i]);
        waiters[i].word = word;
        waiters[i].timeout = timeout;
        waiters[i].bits = bits;
        pthread_create(&waiters[i].thread, NULL, waits, &waiters[i]);
    }
}

static void end(const char *what, struct waiter *waiters, int count) {
    int woken = 0;
    for (int i = 0; i < count; i++) {
        pthread_join(waiters[i].thread, NULL);
        woken += waiters[i].got == 0;
    }
    line("%s: %d woken", what, woken);
}

static void handler(int signal) {
    (void)signal;
    handled++;
}

static void on(int signal, int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, NULL);
}

static void counts(void) {
    struct waiter waiters[4];
    begin(waiters, 4, &first, 0, 0);
    line("four sleep: %d", all_sleep(waiters, 4));
    result("wake one", futex(&first, WAKE, 1, NULL, NULL, 0));
    result("wake two", futex(&first, WAKE, 2, NULL, NULL, 0));
    result("wake any number", futex(&first, WAKE, 100, NULL, NULL, 0));
    result("wake nobody", futex(&first, WAKE, 100, NULL, NULL, 0));
    end("without time-outs", waiters, 4);
}

static void mixed(void) {
    struct waiter waiters[4];
    begin(waiters, 2, &first, 0, 0);
    begin(waiters + 2, 2, &first, 100, ~0u);
    line("four sleep, two with time-outs: %d", all_sleep(waiters, 4));
    result("wake three of both kinds", futex(&first, WAKE, 3, NULL, NULL, 0));
    result("wake the last", futex(&first, WAKE_BITSET, 100, NULL, NULL, ~0u));
    end("of both kinds", waiters, 4);
    begin(waiters, 2, &first, 0, 0);
    begin(waiters + 2, 2, &first, 0, 4);
    line("four sleep, two with few bits: %d", all_sleep(waiters, 4));
    result("wake all of both kinds", futex(&first, WAKE, 5, NULL, NULL, 0));
    end("with other bits", waiters, 4);
}

static void interrupted(void) {
    struct waiter waiter;
    on(SIGUSR1, 0);
    on(SIGUSR2, SA_RESTART);
    begin(&waiter, 1, &first, 0, 0);
    line("sleeps: %d", all_sleep(&waiter, 1));
    pthread_kill(waiter.thread, SIGUSR2);
    for (int i = 0; i < 5000 && handled == 0; i++) usleep(1000);
    line("after a handler it sleeps again: %d", all_sleep(&waiter, 1));
    pthread_kill(waiter.thread, SIGUSR1);
    pthread_join(waiter.thread, NULL);
    line("after another handler: %ld %s, %d handled", waiter.got, errno_name(waiter.error), handled);
    /* A word that has changed meanwhile makes no difference to who slept. */
    begin(&waiter, 1, &first, 0, 0);
    line("sleeps: %d", all_sleep(&waiter, 1));
    first = 1;
    pthread_kill(waiter.thread, SIGUSR1);
    pthread_join(waiter.thread, NULL);
    line("with another word: %ld %s", waiter.got, errno_name(waiter.error));
    result("a wait for another word", futex(&first, WAIT, 0, NULL, NULL, 0));
    first = 0;
}

/* What becomes of a process with sleepers: stopped and continued, executing, killed. */
static int child_with_sleepers(int executes) {
    pid_t child = fork();
    if (child != 0) return child;
    struct waiter waiters[3];
    char *const arguments[] = {"/bin/sh", "-c", "kill -STOP $$; exit 7", NULL};
    begin(waiters, 3, &first, 0, 0);
    if (!all_sleep(waiters, 3)) _exit(1);
    if (executes) execv(arguments[0], arguments);
    raise(SIGSTOP);
    if (!all_sleep(waiters, 3)) _exit(2);
    if (futex(&first, WAKE, 100, NULL, NULL, 0) != 3) _exit(3);
    for (int i = 0; i < 3; i++) pthread_join(waiters[i].thread, NULL);
    begin(waiters, 3, &first, 0, 0);
    if (!all_sleep(waiters, 3)) _exit(4);
    raise(SIGSTOP);
    _exit(5);
}

static void processes(void) {
    int status;
    pid_t child = child_with_sleepers(0);
    waitpid(child, &status, WUNTRACED);
    line("stopped: %d", WIFSTOPPED(status));
    kill(child, SIGCONT);
    waitpid(child, &status, WUNTRACED);
    line("stopped again after its sleepers were woken: %d", WIFSTOPPED(status));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    line("killed: %d", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    child = child_with_sleepers(1);
    waitpid(child, &status, WUNTRACED);
    line("has executed: %d", WIFSTOPPED(status));
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    line("status: %d", WEXITSTATUS(status));
}

static void requeued(void) {
    struct waiter waiters[4], shared;
    uint32_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    begin(&shared, 1, page, 0, 0);
    begin(waiters, 4, &first, 0, 0);
    line("five sleep: %d", all_sleep(&shared, 1) && all_sleep(waiters, 4));
    result("wake one, move two", futex(&first, CMP_REQUEUE, 1, (void *)2, &second, 0));
    result("wake what was moved", futex(&second, WAKE, 100, NULL, NULL, 0));
    /* Sets the second word to 1 and wakes there, if it was 0. */
    result("wake the rest with an operation", futex(&first, WAKE_OP, 5, (void *)5, &second, 1u << 12));
    end("requeued", waiters, 4);
    result("wake in shared memory, privately", futex(page, WAKE, 5, NULL, NULL, 0));
    end("in shared memory", &shared, 1);
    second = 0;
    begin(waiters, 4, &first, 0, 0);
    line("four sleep: %d", all_sleep(waiters, 4));
    result("wake four", futex(&first, WAKE, 4, NULL, NULL, 0));
    end("afterwards", waiters, 4);
}

int main(void) {
    counts();
    mixed();
    interrupted();
    processes();
    requeued();
    return 0;
}
