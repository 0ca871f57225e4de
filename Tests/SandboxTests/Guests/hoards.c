// Whatever can be had is taken and kept: descriptors of each kind up to the limit in several processes, descriptors in
// flight over sockets, memory up to the sandbox's limit, epolls in epolls, lengths that no memory has.
#include "adversary.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

static int take_one(int kind) {
    int pair[2];
    switch (kind) {
    case 0: return pipe(pair);
    case 1: return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    case 2: return eventfd(0, 0);
    case 3: return timerfd_create(CLOCK_MONOTONIC, 0);
    case 4: return epoll_create1(0);
    case 5: return inotify_init1(0);
    case 6: return (int)syscall(SYS_memfd_create, "hoard", 0);
    case 7: return open("/proc/self/status", O_RDONLY);
    case 8: return open("/etc/passwd", O_RDONLY);
    case 9: return open("/tmp", O_RDONLY | O_TMPFILE | O_RDWR, 0600);
    case 10: return posix_openpt(O_RDWR | O_NOCTTY);
    default: return open("/", O_RDONLY | O_DIRECTORY);
    }
}

static void hoard_descriptors(void) {
    alarm(6);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int process = 0; process < 3; process++)
        if (fork() == 0) break;
    int kind = (int)below(14);
    for (long i = 0; i < some(40000); i++)
        if (take_one(kind < 12 ? kind : (int)below(12)) < 0) break;
    pause_for(20000);
    _exit(0);
}

/// Descriptors that nobody has but a socket's queue, sockets in themselves.
static void send_away(void) {
    alarm(4);
    int pair[2], other[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0 || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, other) < 0) return;
    for (int i = 0; i < 5000; i++) {
        int descriptors[200], number = 1 + (int)below(200);
        for (int k = 0; k < number; k++) descriptors[k] = below(3) ? pair[below(2)] : other[below(2)];
        union {
            char room[CMSG_SPACE(sizeof descriptors)];
            struct cmsghdr header;
        } control = {.header = {CMSG_LEN(4 * (unsigned)number), SOL_SOCKET, SCM_RIGHTS}};
        memcpy(CMSG_DATA(&control.header), descriptors, 4 * (size_t)number);
        struct iovec vector = {"x", 1};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(4 * (unsigned)number)};
        if (sendmsg(below(2) ? pair[0] : other[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && below(20) == 0) break;
    }
    close(pair[0]), close(pair[1]), close(other[0]), close(other[1]);
}

static void hoard_memory(void) {
    alarm(6);
    int kind = (int)below(4);
    for (int i = 0; i < 4096; i++) {
        size_t size = 1 << 20;
        char *piece = MAP_FAILED;
        if (kind == 0) piece = mmap(0, size, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        else if (kind == 1) piece = mmap(0, size, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        else {
            int file = kind == 2 ? (int)syscall(SYS_memfd_create, "hoard", 0) : open("/tmp", O_TMPFILE | O_RDWR, 0600);
            static char bytes[1 << 20];
            if (write(file, bytes, size) != (long)size) break;
        }
        if (kind < 2 && piece == MAP_FAILED) break;
        if (kind < 2) memset(piece, 1, size);
        if (i % 64 == 0 && below(3) == 0 && fork() == 0) kind = (int)below(4);
    }
    _exit(0);
}

static void nest(void) {
    alarm(4);
    int epolls[400];
    for (int i = 0; i < 400; i++) {
        epolls[i] = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN | (below(2) ? EPOLLET : 0)};
        for (int k = 0; k < 8 && i > 0; k++) epoll_ctl(epolls[below((uint64_t)i)], EPOLL_CTL_ADD, epolls[below(2) ? i : (int)below((uint64_t)i)], &event);
    }
    int event = eventfd(0, EFD_NONBLOCK);
    for (int i = 0; i < 400; i += 3) {
        struct epoll_event interest = {.events = EPOLLIN};
        epoll_ctl(epolls[i], EPOLL_CTL_ADD, event, &interest);
    }
    for (int i = 0; i < 50; i++) {
        uint64_t one = 1;
        if (write(event, &one, 8) < 0) break;
        struct epoll_event ready[64];
        epoll_wait(epolls[below(400)], ready, 64, 0);
        close(epolls[below(400)]);
    }
}

static void exaggerate(void) {
    alarm(3);
    char byte[4096];
    int pair[2], zero = open("/dev/zero", O_RDONLY), random = open("/dev/urandom", O_RDONLY), nothing = open("/dev/null", O_WRONLY);
    if (pipe2(pair, O_NONBLOCK) < 0) return;
    char *large = mmap(0, 1ull << 36, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int i = 0; i < 40; i++) {
        uint64_t length = (1ull << below(64)) - below(2);
        struct iovec vector[1024];
        for (int k = 0; k < 1024; k++) vector[k] = (struct iovec){below(2) ? (void *)byte : large, below(2) ? length : below(1 << 20)};
        switch (below(9)) {
        case 0: syscall(SYS_write, nothing, large, length); break;
        case 1: syscall(SYS_writev, nothing, vector, 1024); break;
        case 2: syscall(SYS_write, pair[1], large, length); break;
        case 3: syscall(SYS_getrandom, byte, length, 0); break;
        case 4: syscall(SYS_poll, large, below(2) ? length : 1000, 0); break;
        case 5: syscall(SYS_mmap, 0, length, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); break;
        case 6: syscall(SYS_getdents64, open("/", O_RDONLY), byte, length); break;
        case 7: syscall(SYS_readlink, "/proc/self/exe", byte, length); break;
        default: syscall(SYS_pread64, below(2) ? zero : random, large, below(1 << 24), length);
        }
    }
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 2);
    start_witness();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long round = 0; goes_on(round, rounds); round++) {
        in_child(hoard_descriptors, 7, "descriptors"), ask_witness("hoarded descriptors");
        in_child(send_away, 5, "descriptors in flight"), ask_witness("descriptors in flight");
        in_child(nest, 5, "epolls in epolls"), ask_witness("epolls in epolls");
        in_child(exaggerate, 4, "huge lengths"), ask_witness("huge lengths");
        if (getenv("ADVERSARY_MEMORY")) in_child(hoard_memory, 7, "memory");
        while (waitpid(-1, 0, WNOHANG) > 0) {}
        ask_witness("hoards");
    }
    end_witness();
    puts("hoards: done");
    return 0;
}
