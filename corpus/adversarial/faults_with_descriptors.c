/*
 * summary: wild pointers to calls around descriptors, sockets, timers, waiting and memory: EFAULT, nothing half done
 * calls: epoll_ctl epoll_wait sendmsg recvmsg bind getsockopt timerfd_settime statx clone3 mincore sendfile
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

struct call {
    const char *name;
    long number, arguments[6];
    int wild; /* the index of the argument that is replaced */
};

int main(void) {
    static char memory[4096];
    struct iovec part = {memory, 4};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int pair[2], ends[2];
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must("pipe", pipe(ends));
    must("write", write(pair[1], "waiting", 7));
    long good = (long)memory, note = (long)&message;
    long file = must("open", open("file", O_RDWR | O_CREAT, 0600));
    long socket_fd = must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    long epoll = must("epoll_create1", epoll_create1(0)), event = must("eventfd", eventfd(1, 0));
    long timer = must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0));
    struct epoll_event ready = {.events = EPOLLIN};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, event, &ready));
    must("write", write(file, "contents", 8));
    long page = (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct call calls[] = {
        {"epoll_ctl", SYS_epoll_ctl, {epoll, EPOLL_CTL_MOD, event, 0}, 3},
        {"epoll_wait", SYS_epoll_wait, {epoll, 0, 1, 0}, 1},
        {"epoll_pwait, the mask", SYS_epoll_pwait, {epoll, good, 1, 0, 0, 8}, 4},
        {"read of an eventfd", SYS_read, {event, 0, 8}, 1},
        {"signalfd4", SYS_signalfd4, {-1, 0, 8, 0}, 1},
        {"timerfd_settime", SYS_timerfd_settime, {timer, 0, 0, 0}, 2},
        {"timerfd_gettime", SYS_timerfd_gettime, {timer, 0}, 1},
        {"bind", SYS_bind, {socket_fd, 0, 20}, 1},
        {"connect", SYS_connect, {socket_fd, 0, 20}, 1},
        {"getsockname", SYS_getsockname, {socket_fd, good, 0}, 2},
        {"getsockopt", SYS_getsockopt, {socket_fd, 1, 3, good, 0}, 4},
        {"setsockopt", SYS_setsockopt, {socket_fd, 1, 16, 0, 4}, 3},
        {"sendto", SYS_sendto, {pair[0], 0, 4, 0, 0, 0}, 1},
        {"sendmsg", SYS_sendmsg, {pair[0], 0, 0}, 1},
        {"recvfrom", SYS_recvfrom, {pair[0], 0, 4, MSG_PEEK, 0, 0}, 1},
        {"recvmsg", SYS_recvmsg, {pair[0], 0, MSG_PEEK}, 1},
        {"sendmmsg", SYS_sendmmsg, {pair[0], 0, 1, 0}, 1},
        {"sendfile, the offset", SYS_sendfile, {pair[0], file, 0, 4}, 2},
        {"copy_file_range, the offset", SYS_copy_file_range, {file, 0, file, 0, 4, 0}, 1},
        {"splice, the offset", SYS_splice, {file, 0, ends[1], 0, 4, 0}, 1},
        {"preadv", SYS_preadv, {file, 0, 1, 0}, 1},
        {"pwritev", SYS_pwritev, {file, 0, 1, 0}, 1},
        {"statx", SYS_statx, {file, (long)"", 0x1000, 0x7ff, 0}, 4},
        {"statx, the name", SYS_statx, {AT_FDCWD, 0, 0, 0x7ff, good}, 1},
        {"linkat", SYS_linkat, {AT_FDCWD, (long)"file", AT_FDCWD, 0, 0}, 3},
        {"symlinkat", SYS_symlinkat, {0, AT_FDCWD, (long)"y"}, 0},
        {"renameat2", SYS_renameat2, {AT_FDCWD, 0, AT_FDCWD, (long)"z", 0}, 1},
        {"unlinkat", SYS_unlinkat, {AT_FDCWD, 0, 0}, 1},
        {"mknodat", SYS_mknodat, {AT_FDCWD, 0, 0100600, 0}, 1},
        {"fchmodat", SYS_fchmodat, {AT_FDCWD, 0, 0600}, 1},
        {"fchownat", SYS_fchownat, {AT_FDCWD, 0, -1, -1, 0}, 1},
        {"faccessat", SYS_faccessat, {AT_FDCWD, 0, 0}, 1},
        {"readlinkat", SYS_readlinkat, {AT_FDCWD, 0, good, 100}, 1},
        {"setxattr, the name", SYS_setxattr, {(long)"file", 0, good, 1, 0}, 1},
        {"listxattr", SYS_listxattr, {0, good, 100}, 0},
        {"mincore", SYS_mincore, {page, 4096, 0}, 2},
        {"memfd_create", SYS_memfd_create, {0, 0}, 0},
        {"clock_nanosleep", SYS_clock_nanosleep, {1, 0, 0, 0}, 2},
        {"rt_sigsuspend", SYS_rt_sigsuspend, {0, 8}, 0},
        {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {getpid(), SIGURG, 0}, 2},
        {"timer_create, the event", SYS_timer_create, {1, 0, good}, 1},
        {"sched_setaffinity", SYS_sched_setaffinity, {0, 8, 0}, 2},
        {"sched_setparam", SYS_sched_setparam, {0, 0}, 1},
        {"setrlimit", SYS_setrlimit, {RLIMIT_CORE, 0}, 1},
        {"prctl PR_SET_NAME", SYS_prctl, {15, 0}, 1},
        {"prctl PR_GET_NAME", SYS_prctl, {16, 0}, 1},
        {"clone3", 435, {0, 64}, 0},
        {"openat2, the how", 437, {AT_FDCWD, (long)"file", 0, 24}, 2},
        {"get_robust_list", SYS_get_robust_list, {0, 0, good}, 1},
        {"getcpu", SYS_getcpu, {0, 0, 0}, 0},
    };
    long wild[] = {8, (long)KERNEL_ADDRESS, (long)0x8000000000000000ul, -1};
    for (size_t i = 0; i < COUNT(calls); i++) {
        char out[256] = "";
        for (size_t w = 0; w < COUNT(wild); w++) {
            long a[6];
            memcpy(a, calls[i].arguments, sizeof a);
            a[calls[i].wild] = wild[w];
            long value = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
            size_t used = strlen(out);
            snprintf(out + used, sizeof out - used, " %s", value == -1 ? errno_name(errno) : "ok");
        }
        line("%s:%s", calls[i].name, out);
    }
    result("what waited in the socket is still there", recv(pair[0], memory, 100, MSG_DONTWAIT));
    result("the file's offset", lseek(file, 0, SEEK_CUR));
    result("the message works as it should", syscall(SYS_sendmsg, pair[0], note, 0));
    return 0;
}
