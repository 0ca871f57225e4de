// Threads that race for the same descriptors, memory and processes: close against dup2 against read, munmap against
// write, fork and exec and exit against all of them.
#include "adversary.h"

#include <pthread.h>
#include <sys/socket.h>

enum { WORKERS = 6, PAGES = 64 };

static unsigned char *shared;
static int pipes[2], sockets[2];
static volatile int over;

static void touch_descriptors(void) {
    char bytes[256];
    int number = 3 + (int)below(20);
    switch (below(12)) {
    case 0: close(number); break;
    case 1: dup2((int)below(24), number); break;
    case 2: fcntl(number, F_SETFL, below(2) ? O_NONBLOCK : 0); break;
    case 3: if (read(number, shared + below(PAGES * 4096), below(512)) < 0) return; break;
    case 4: if (write(number, shared + below(PAGES * 4096), below(512)) < 0) return; break;
    case 5: if (pipe2(pipes, O_NONBLOCK) < 0) return; break;
    case 6: socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets); break;
    case 7: open("/proc/self/maps", O_RDONLY); break;
    case 8: open("/proc/self/fd", O_RDONLY | O_DIRECTORY); break;
    case 9: {
        struct iovec vector = {bytes, sizeof bytes};
        union {
            char room[CMSG_SPACE(4)];
            struct cmsghdr header;
        } control = {.header = {CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}};
        memcpy(CMSG_DATA(&control.header), &number, 4);
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        sendmsg(sockets[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        break;
    }
    case 10: {
        struct iovec vector = {bytes, sizeof bytes};
        char control[256];
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        recvmsg(sockets[1], &message, MSG_DONTWAIT);
        break;
    }
    default: syscall(SYS_close_range, 30 + below(10), 40 + below(100), 0);
    }
}

static void touch_memory(void) {
    size_t first = below(PAGES), count = 1 + below(PAGES - first);
    unsigned char *place = shared + first * 4096;
    switch (below(8)) {
    case 0: munmap(place, count * 4096); break;
    case 1: mprotect(place, count * 4096, (int)below(8)); break;
    case 2:
        mmap(place, count * 4096, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_ANONYMOUS | (below(2) ? MAP_SHARED : MAP_PRIVATE), -1, 0);
        break;
    case 3: madvise(place, count * 4096, MADV_DONTNEED); break;
    case 4: if (mremap(place, 4096, count * 4096, MREMAP_MAYMOVE) == MAP_FAILED) return; break;
    case 5: {
        int file = open("/proc/self/exe", O_RDONLY);
        mmap(place, 4096, PROT_READ, MAP_FIXED | MAP_PRIVATE, file, 0);
        close(file);
        break;
    }
    case 6: sbrk((intptr_t)below(3) * 4096 - 4096); break;
    default: msync(place, count * 4096, MS_SYNC);
    }
}

static void touch_processes(void) {
    switch (below(5)) {
    case 0: {
        pid_t child = fork();
        if (child == 0) _exit((int)below(256));
        if (child > 0) waitpid(child, 0, below(2) ? WNOHANG : 0);
        break;
    }
    case 1: {
        pid_t child = vfork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)0);
            _exit(1);
        }
        break;
    }
    case 2: {
        pid_t child = fork();
        if (child == 0) {
            pause_for((long)below(3000));
            execl("/bin/true", "true", (char *)0);
            _exit(1);
        }
        if (child > 0 && below(2)) kill(child, SIGKILL);
        break;
    }
    case 3: waitpid(-1, 0, WNOHANG); break;
    default: syscall(SYS_tgkill, getpid(), getpid(), 0);
    }
}

static void *work(void *argument) {
    random_state += (uint64_t)(uintptr_t)argument * 77;
    int kind = (int)((uintptr_t)argument % 3);
    while (!over) {
        if (kind == 0) touch_descriptors();
        else if (kind == 1) touch_memory();
        else touch_processes();
    }
    return 0;
}

static void *start_and_end(void *argument) {
    (void)argument;
    while (!over) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        if (pthread_create(&thread, &attributes, start_and_end, (void *)&over) == 0) pause_for(200);
        if (argument) return 0;
    }
    return 0;
}

static void race(void) {
    // Wild stores of one thread into what another has just unmapped end the process: that is part of it.
    shared = mmap(0, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    alarm(20);
    pthread_t threads[WORKERS + 1];
    for (long i = 0; i < WORKERS; i++)
        if (pthread_create(&threads[i], 0, work, (void *)i) != 0) _exit(1);
    if (below(2)) pthread_create(&threads[WORKERS], 0, start_and_end, 0);
    pause_for(150000 + (long)below(100000));
    switch (below(5)) {
    case 0: execl("/bin/true", "true", (char *)0); break;
    case 1: kill(getpid(), SIGKILL); break;
    case 2:
        syscall(SYS_exit, 0);  // the leader only
        break;
    case 3: _exit(0);
    default: {
        pid_t child = fork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)0);
            _exit(1);
        }
    }
    }
    over = 1;
    _exit(0);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 12);
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (is_short) rounds = 5;
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(race, 8, "race");
        ask_witness("a race");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
    }
    end_witness();
    puts("races: done");
    return 0;
}
