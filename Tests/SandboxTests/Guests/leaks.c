// Does the same things over and over: whoever keeps something of each round grows. Says "settled" after a first part, goes on
// when the host has made a file of that name in the folder of the third argument, and says "done"; whoever has started it
// compares the kernel's memory and descriptors at both points.
#include "adversary.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

static void *nothing(void *argument) { return argument; }

static void round_of_everything(long number) {
    pid_t child = fork();
    if (child == 0) {
        if (number % 4 == 0) execl("/bin/true", "true", (char *)0);
        if (number % 4 == 1) kill(getpid(), SIGKILL);
        if (number % 4 == 2) *(volatile int *)8 = 1;
        _exit(0);
    }
    waitpid(child, 0, 0);
    child = vfork();
    if (child == 0) {
        if (number % 2) execl("/bin/true", "true", (char *)0);
        _exit(0);
    }
    waitpid(child, 0, 0);
    // Fails when everything but the descriptor's place stands.
    syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0);
    pthread_t thread;
    if (pthread_create(&thread, 0, nothing, 0) == 0) pthread_join(thread, 0);

    int pair[2], epoll = epoll_create1(0), event = eventfd(0, 0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct epoll_event wanted = {EPOLLIN, {.u64 = 0}};
    struct itimerspec far = {{0, 0}, {1000, 0}};
    timerfd_settime(timer, 0, &far, 0);
    if (pipe(pair) == 0) {
        epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &wanted);
        close(pair[0]), close(pair[1]);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
        epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &wanted);
        if (write(pair[0], "x", 1) == 1) close(pair[0]), close(pair[1]);
    }
    close(event), close(timer), close(epoll);

    char path[64];
    snprintf(path, sizeof path, "/tmp/leak-%ld", number % 8);
    int file = open(path, O_CREAT | O_RDWR, 0600);
    if (write(file, path, sizeof path) < 0 || ftruncate(file, 400000) < 0) return;
    void *mapped = mmap(0, 400000, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) ((char *)mapped)[4096] = 1, munmap(mapped, 400000);
    close(file);
    if (number % 2) unlink(path);
    mkdir("/tmp/leak-directory", 0700);
    rmdir("/tmp/leak-directory");
    close(open("/etc/passwd", O_RDONLY));
    close(open("/proc/self/maps", O_RDONLY));
    mapped = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(mapped, 4096, PROT_READ);
    munmap(mapped, 1 << 20);
    mapped = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    munmap(mapped, 1 << 16);
    int memory = (int)syscall(SYS_memfd_create, "m", 0);
    close(memory);
    timer_t counted;
    struct sigevent silent = {.sigev_notify = SIGEV_NONE};
    if (timer_create(CLOCK_REALTIME, &silent, &counted) == 0) timer_delete(counted);
    pause_for(1);
}

/// Says a word, and waits until the host has made the file that is named after it.
static void say_and_wait(const char *folder, const char *word) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, word);
    printf("%s\n", word);
    while (access(path, F_OK) < 0) pause_for(20000);
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 1000);
    const char *folder = count > 3 ? words[3] : "/bind";
    long first = rounds / 4 + 10;
    for (long i = 0; i < first; i++) round_of_everything(i);
    say_and_wait(folder, "settled");
    for (long i = 0; i < rounds; i++) round_of_everything(i);
    say_and_wait(folder, "done");
    return 0;
}
