/*
 * summary: thread-local variables start fresh in each thread, keys run their destructors, fork keeps the caller's
 * calls: clone3 clone arch_prctl set_tid_address
 */
#include "apus.h"
#include <pthread.h>
#include <sched.h>

static __thread int initialised = 42;
static __thread char zeroed[5000];
static pthread_key_t key;
static int destroyed;

static void destroy(void *value) { __atomic_fetch_add(&destroyed, (int)(long)value, __ATOMIC_RELAXED); }

static void *body(void *argument) {
    long index = (long)argument;
    int clean = initialised == 42 && zeroed[0] == 0 && zeroed[4999] == 0 && pthread_getspecific(key) == NULL;
    initialised = index;
    zeroed[4999] = index;
    errno = index;
    pthread_setspecific(key, (void *)(index + 1));
    for (int i = 0; i < 100; i++) {
        sched_yield();
        if (initialised != index || zeroed[4999] != (char)index || errno != index) clean = 0;
    }
    return (void *)(long)clean;
}

static void in_a_fork(void) {
    number("a child has the forking thread's variable", initialised);
    number("and its key's value", (long)pthread_getspecific(key));
    unsigned long base = 0;
    result("arch_prctl ARCH_GET_FS", syscall(SYS_arch_prctl, 0x1003, &base));
    unsigned long self;
    __asm__("mov %%fs:0, %0" : "=r"(self));
    fact("fs:0 holds the base", self == base);
}

static void *forks(void *argument) {
    initialised = 77;
    pthread_setspecific(key, argument);
    wait_status("fork in a thread", in_child(in_a_fork));
    return NULL;
}

int main(void) {
    pthread_t threads[16];
    long clean = 0;
    pthread_key_create(&key, destroy);
    pthread_setspecific(key, (void *)1000L);
    initialised = 7;
    for (long i = 0; i < 16; i++) must("pthread_create", pthread_create(&threads[i], NULL, body, (void *)i) ? -1 : 0);
    for (int i = 0; i < 16; i++) {
        void *value;
        pthread_join(threads[i], &value);
        clean += (long)value;
    }
    number("threads with variables of their own", clean);
    number("the main thread's variable", initialised);
    number("the main thread's array", zeroed[4999]);
    number("sum of the destroyed values", destroyed);
    pthread_create(&threads[0], NULL, forks, (void *)55L);
    pthread_join(threads[0], NULL);

    unsigned long old = 0, gs = 0, value = 0xabcdef;
    must("arch_prctl", syscall(SYS_arch_prctl, 0x1004, &old));
    number("the gs base at first", old);
    result("ARCH_SET_GS", syscall(SYS_arch_prctl, 0x1001, &value));
    must("arch_prctl", syscall(SYS_arch_prctl, 0x1004, &gs));
    fact("ARCH_GET_GS gives it back", gs == (unsigned long)&value);
    unsigned long loaded;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(loaded));
    line("a load through gs: %lx", loaded);
    result("ARCH_SET_GS of a kernel address", syscall(SYS_arch_prctl, 0x1001, KERNEL_ADDRESS));
    result("ARCH_GET_FS to a wild pointer", syscall(SYS_arch_prctl, 0x1003, WILD));
    result("an unknown code", syscall(SYS_arch_prctl, 0x1fff, 0));
    return 0;
}
