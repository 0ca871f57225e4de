/*
 * summary: System V shared memory is the same in every process that attaches it, and lasts until the last has let go
 * calls: shmget shmat shmdt shmctl
 */
#include "apus.h"
#include <sys/ipc.h>
#include <sys/shm.h>

static int segment;

static long attached(void) {
    struct shmid_ds status;
    return shmctl(segment, IPC_STAT, &status) < 0 ? -1 : (long)status.shm_nattch;
}

static long address_of(void *address) { return address == (void *)-1 ? -1 : 0; }

static void child(void) {
    int *words = shmat(segment, NULL, SHM_RDONLY);
    result("a child attaches", address_of(words));
    number("finds", words[0]);
    number("attached", attached());
}

static void writes_to_read_only(void) {
    no_core();
    volatile int *words = shmat(segment, NULL, SHM_RDONLY);
    words[0] = 1;
}

int main(void) {
    int key = variant_key(0x5a5a9876);
    struct shmid_ds status;
    result("none without IPC_CREAT", shmget(key, 4096, 0));
    result("of no size", shmget(IPC_PRIVATE, 0, 0600));
    segment = must("shmget", shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0600));
    result("again", shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0600));
    fact("the same by its key", shmget(key, 100, 0) == segment);
    result("larger than it is", shmget(key, 10001, 0));
    int *words = shmat(segment, NULL, 0);
    must("shmat", address_of(words));
    number("begins with", words[0]);
    words[0] = 26;
    words[2999] = 27;
    int *second = shmat(segment, NULL, 0);
    fact("another address", second != words);
    number("the same there", second[2999]);
    number("attached", attached());
    result("at an address that is no page's", address_of(shmat(segment, (char *)words + 8, 0)));
    result("where something is", address_of(shmat(segment, (char *)words + 8, SHM_RND)));
    result("shmdt", shmdt(second));
    result("shmdt again", shmdt(second));
    result("shmdt of the middle", shmdt((char *)words + 4096));
    wait_status("it", in_child(child));
    wait_status("one that writes to what it may read", in_child(writes_to_read_only));
    number("attached", attached());
    result("IPC_STAT", shmctl(segment, IPC_STAT, &status));
    line("size %lu, mode %o, made by this: %d", (long)status.shm_segsz, status.shm_perm.mode, status.shm_cpid == getpid());
    result("IPC_RMID", shmctl(segment, IPC_RMID, NULL));
    result("its key is free", shmget(key, 100, 0));
    result("IPC_STAT", shmctl(segment, IPC_STAT, &status));
    line("mode %o", status.shm_perm.mode);
    number("still there", words[2999]);
    result("shmdt", shmdt(words));
    result("then it is gone", shmctl(segment, IPC_STAT, &status));
    result("for shmat, too", address_of(shmat(segment, NULL, 0)));
    return 0;
}
