// Depth and breadth: directories in directories, epolls in epolls, sockets in messages in sockets, links to links, a list
// of files as long as the kernel allows, arguments as large as it allows, areas by the ten thousand.
#include "adversary.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

static void deep_directories(void) {
    char top[64];
    snprintf(top, sizeof top, "/tmp/deep-%d", getpid());
    mkdir(top, 0700);
    if (chdir(top) < 0) return;
    int depth = 0;
    while (depth < some(20000) && mkdir("d", 0700) == 0 && chdir("d") == 0) depth++;
    char path[8192];
    if (getcwd(path, sizeof path) == 0 && errno != ERANGE && errno != ENAMETOOLONG) perror("getcwd");
    close(open("file", O_CREAT | O_RDWR, 0600));
    rename("file", "../file");
    if (below(2)) {
        // Away with it from below.
        for (int i = 0; i < depth && chdir("..") == 0; i++) rmdir("d"), unlink("file"), rmdir("d");
    }
}

static void nested_epolls(void) {
    int inner = epoll_create1(0), pair[2];
    if (pipe(pair) < 0) return;
    struct epoll_event event = {EPOLLIN, {.u64 = 0}};
    epoll_ctl(inner, EPOLL_CTL_ADD, pair[0], &event);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
        int outer = epoll_create1(0);
        if (epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event) < 0) refused++, close(outer);
        else inner = outer;
    }
    // From the bottom up, too.
    int lower = epoll_create1(0);
    for (int i = 0; i < 300; i++) {
        int below_it = epoll_create1(0);
        if (epoll_ctl(lower, EPOLL_CTL_ADD, below_it, &event) < 0) refused++;
        lower = below_it;
    }
    epoll_ctl(lower, EPOLL_CTL_ADD, pair[0], &event);
    if (!refused) fprintf(stderr, "epolls nest without an end\n"), _exit(8);
    // Broad: each of a level watches each of the next.
    int level[4][40], width = is_short ? 16 : 40;
    for (int i = 0; i < 4; i++) for (int k = 0; k < width; k++) level[i][k] = epoll_create1(0);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < width; k++)
            for (int m = 0; m < width; m++) epoll_ctl(level[i][k], EPOLL_CTL_ADD, level[i + 1][m], &event);
    for (int k = 0; k < width; k++) epoll_ctl(level[3][k], EPOLL_CTL_ADD, pair[0], &event);
    for (int i = 0; i < 5; i++) {
        char byte = 1;
        if (write(pair[1], &byte, 1) != 1 || read(pair[0], &byte, 1) != 1) return;
        struct pollfd entry = {level[0][0], POLLIN, 0};
        poll(&entry, 1, 0);
        epoll_wait(level[0][1], &event, 1, 0);
    }
    // Registrations of files that are gone.
    for (int i = 0; i < some(20000); i++) {
        if (pipe(pair) < 0) return;
        epoll_ctl(level[3][0], EPOLL_CTL_ADD, pair[0], &event);
        close(pair[0]);
        close(pair[1]);
    }
}

static int send_file(int over_socket, int file) {
    char byte = 0;
    struct iovec vector = {&byte, 1};
    union {
        char room[CMSG_SPACE(4)];
        struct cmsghdr header;
    } control = {.header = {CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &file, 4);
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    return (int)sendmsg(over_socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/// Sockets whose last descriptors lie in each other's queues, a hundred thousand deep, and in circles.
static void nested_sockets(void) {
    int carried = -1;
    for (int i = 0; i < some(40000); i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) break;
        if (carried >= 0) {
            if (send_file(pair[0], carried) < 0) perror("sendmsg"), _exit(1);
            close(carried);
        }
        close(pair[0]);
        carried = pair[1];
    }
    if (below(2)) close(carried);
    for (int i = 0; i < 200; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) break;
        send_file(pair[0], pair[1]);
        send_file(pair[1], pair[0]);
        send_file(pair[0], pair[0]);
        close(pair[0]);
        close(pair[1]);
    }
}

static void many_areas(void) {
    size_t pages = (size_t)some(40000);
    char *place = mmap(0, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return;
    size_t made = 0;
    for (size_t i = 0; i < pages; i += 2)
        if (mprotect(place + i * 4096, 4096, PROT_READ) == 0) made++;
    mlock(place, pages * 4096);
    munlock(place, pages * 4096);
    mprotect(place, pages * 4096, PROT_READ | PROT_WRITE);
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, 0, 0);
    // Bytes for more pages than there is time for, if nobody else may run meanwhile.
    char *vector = mmap(0, 1 << 28, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *reserved = mmap(0, 1ull << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    alarm(1);
    if (reserved != MAP_FAILED) syscall(SYS_mincore, reserved, 1ull << 40, vector);
}

static void long_lists(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int top = (int)(limit.rlim_max < 100000 ? limit.rlim_max : (rlim_t)some(100000)) - 1, pair[2];
    if (pipe(pair) < 0) return;
    dup2(pair[0], top);
    struct pollfd *entries = calloc((size_t)top, sizeof *entries);
    for (int i = 0; i < top; i++) entries[i] = (struct pollfd){pair[0], POLLIN, 0};
    poll(entries, (nfds_t)top, 1);
    unsigned char *set = calloc(1, (size_t)top / 8 + 16);
    set[pair[0] / 8] |= (unsigned char)(1 << pair[0] % 8);
    struct timeval soon = {0, 1000};
    syscall(SYS_select, top, set, 0, 0, &soon);
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, 0, 0);
    syscall(SYS_close_range, 3, ~0u, 0);
    // As much of nothing as a call takes, to nowhere.
    int zero = open("/dev/zero", O_RDWR), null = open("/dev/null", O_RDWR);
    char *much = mmap(0, 1ull << 31, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    alarm(1);
    if (much != MAP_FAILED && write(null, much, 0x7ffff000) < 0) return;
    if (read(zero, much, 1 << 26) < 0) return;
}

static void large_arguments(void) {
    // At the limit, just above it, and one string too long.
    static char *words[300000];
    for (int turn = 0; turn < (is_short ? 1 : 4); turn++) {
        pid_t child = fork();
        if (child < 0) return;
        if (child > 0) {
            waitpid(child, 0, 0);
            continue;
        }
        size_t count = turn == 0 ? 60 : turn == 1 ? 100000 : turn == 2 ? 299999 : 2;
        char *text = malloc(200000);
        memset(text, 'x', 199999);
        text[turn == 0 ? 30000 : turn == 3 ? 131072 : 1] = 0;
        for (size_t i = 0; i < count; i++) words[i] = text;
        words[count] = 0;
        words[0] = "true";
        execve("/bin/true", words, (char *[]){0});
        _exit(0);
    }
    // A script that names itself, and a chain of scripts.
    char path[64], previous[64] = "/bin/sh";
    for (int i = 0; i < 8; i++) {
        snprintf(path, sizeof path, "/tmp/script-%d-%d", getpid(), i);
        int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0700);
        dprintf(file, "#!%s\n", i == 7 ? path : previous);
        close(file);
        strcpy(previous, path);
        pid_t child = fork();
        if (child == 0) {
            execl(path, path, (char *)0);
            _exit(0);
        }
        waitpid(child, 0, 0);
    }
    for (int i = 0; i < 50; i++) {
        char from[32], to[32];
        snprintf(from, sizeof from, "/tmp/l%d", i + 1), snprintf(to, sizeof to, "/tmp/l%d", i);
        if (symlink(from, to) < 0 && errno != EEXIST) break;
    }
    close(open("/tmp/l0", O_RDONLY));
}

int main(int count, char **words) {
    uint64_t seed;
    long rounds;
    arguments(count, words, &seed, &rounds, 1);
    start_witness();
    for (long round = 0; goes_on(round, rounds); round++) {
        watch(deep_directories, "deep directories");
        watch(nested_epolls, "nested epolls");
        watch(nested_sockets, "nested sockets");
        watch(many_areas, "many areas");
        watch(long_lists, "long lists");
        watch(large_arguments, "large arguments");
        ask_witness("nests");
    }
    end_witness();
    printf("nests: done, longest stillness %.3f s\n", slowest);
    return 0;
}
