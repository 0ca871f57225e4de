/*
 * summary: the owner of a robust mutex dies: the next gets EOWNERDEAD, makes it consistent or loses it for good
 * calls: set_robust_list get_robust_list futex exit
 */
#include "apus.h"
#include <pthread.h>
#include <sys/mman.h>

static pthread_mutex_t *mutex;

static void *dies_with_it(void *argument) {
    returned("the owner locks", pthread_mutex_lock(mutex));
    return argument;
}

static void process_dies_with_it(void) {
    returned("a child locks", pthread_mutex_lock(mutex));
    kill(getpid(), SIGKILL);
}

static void process_execs_with_it(void) {
    returned("a child locks", pthread_mutex_lock(mutex));
    execl("/bin/true", "true", (char *)NULL);
}

static void init(int shared) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    if (shared) pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(mutex, &kind);
}

static void *waits_for_it(void *argument) {
    returned("a thread that waited", pthread_mutex_lock(mutex));
    returned("  makes it consistent", pthread_mutex_consistent(mutex));
    returned("  and unlocks", pthread_mutex_unlock(mutex));
    return argument;
}

int main(void) {
    pthread_t thread;
    mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    init(0);
    pthread_create(&thread, NULL, dies_with_it, NULL);
    pthread_join(thread, NULL);
    returned("lock after the owner's death", pthread_mutex_lock(mutex));
    returned("consistent", pthread_mutex_consistent(mutex));
    returned("consistent again", pthread_mutex_consistent(mutex));
    returned("unlock", pthread_mutex_unlock(mutex));
    returned("lock", pthread_mutex_lock(mutex));
    returned("unlock", pthread_mutex_unlock(mutex));

    pthread_create(&thread, NULL, dies_with_it, NULL);
    pthread_join(thread, NULL);
    returned("trylock after the owner's death", pthread_mutex_trylock(mutex));
    returned("unlock without making it consistent", pthread_mutex_unlock(mutex));
    returned("lock: lost for good", pthread_mutex_lock(mutex));

    init(1);
    wait_status("a process dies", in_child(process_dies_with_it));
    pthread_create(&thread, NULL, waits_for_it, NULL);
    pthread_join(thread, NULL);
    wait_status("a process execs", in_child(process_execs_with_it));
    returned("lock after that", pthread_mutex_lock(mutex));
    pthread_mutex_consistent(mutex);
    returned("unlock", pthread_mutex_unlock(mutex));

    void *head = NULL;
    size_t size = 0;
    result("get_robust_list", syscall(SYS_get_robust_list, 0, &head, &size));
    number("size", size);
    result("set_robust_list of another size", syscall(SYS_set_robust_list, head, 16));
    result("get_robust_list of nobody", syscall(SYS_get_robust_list, 0x3fffffff, &head, &size));
    result("get_robust_list to a wild pointer", syscall(SYS_get_robust_list, 0, WILD, &size));
    return 0;
}
