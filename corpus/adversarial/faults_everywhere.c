/*
 * summary: pointers of every kind of call, wild, in the kernel's half, at the end of a page: EFAULT
 * calls: openat stat getcwd pipe2 read write poll select rt_sigaction clock_gettime getdents64 execve futex ioctl
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>

struct call {
    const char *name;
    long number, arguments[6];
    int wild; /* the index of the argument that is replaced */
};

int main(void) {
    static char memory[4096];
    long good = (long)memory;
    int ends[2], file = must("open", open("file", O_RDWR | O_CREAT, 0600));
    must("pipe", pipe(ends));
    must("write", write(ends[1], "data", 4));
    must("write", write(file, "data", 4));
    must("lseek", lseek(file, 0, SEEK_SET));
    int directory = must("open", open(".", O_RDONLY));
    const struct call calls[] = {
        {"read", SYS_read, {ends[0], 0, 10}, 1},
        {"read of a file", SYS_read, {file, 0, 10}, 1},
        {"write", SYS_write, {file, 0, 10}, 1},
        {"pread64", SYS_pread64, {file, 0, 10, 0}, 1},
        {"readv", SYS_readv, {file, 0, 2}, 1},
        {"open", SYS_open, {0, O_RDONLY}, 0},
        {"openat", SYS_openat, {AT_FDCWD, 0, O_RDONLY}, 1},
        {"stat", SYS_stat, {0, good}, 0},
        {"stat, the result", SYS_stat, {(long)"file", 0}, 1},
        {"fstat", SYS_fstat, {file, 0}, 1},
        {"newfstatat", SYS_newfstatat, {AT_FDCWD, (long)"file", 0, 0}, 2},
        {"access", SYS_access, {0, 0}, 0},
        {"getcwd", SYS_getcwd, {0, 4096}, 0},
        {"chdir", SYS_chdir, {0}, 0},
        {"mkdir", SYS_mkdir, {0, 0755}, 0},
        {"rename", SYS_rename, {(long)"file", 0}, 1},
        {"unlink", SYS_unlink, {0}, 0},
        {"symlink", SYS_symlink, {0, (long)"x"}, 0},
        {"readlink", SYS_readlink, {0, good, 100}, 0},
        {"readlink, the result", SYS_readlink, {(long)"/proc/self/exe", 0, 100}, 1},
        {"truncate", SYS_truncate, {0, 0}, 0},
        {"chmod", SYS_chmod, {0, 0}, 0},
        {"getdents64", SYS_getdents64, {directory, 0, 1000}, 1},
        {"statfs", SYS_statfs, {(long)".", 0}, 1},
        {"pipe2", SYS_pipe2, {0, 0}, 0},
        {"poll", SYS_poll, {0, 1, 0}, 0},
        {"ppoll, the time", SYS_ppoll, {good, 0, 0, 0, 8}, 2},
        {"select", SYS_select, {10, 0, 0, 0, 0}, 1},
        {"rt_sigaction", SYS_rt_sigaction, {SIGUSR1, 0, 0, 8}, 1},
        {"rt_sigprocmask", SYS_rt_sigprocmask, {SIG_BLOCK, 0, 0, 8}, 1},
        {"rt_sigpending", SYS_rt_sigpending, {0, 8}, 0},
        {"rt_sigtimedwait", SYS_rt_sigtimedwait, {0, 0, 0, 8}, 0},
        {"sigaltstack", SYS_sigaltstack, {0, 0}, 0},
        {"nanosleep", SYS_nanosleep, {0, 0}, 0},
        {"clock_gettime", SYS_clock_gettime, {0, 0}, 1},
        {"clock_getres", SYS_clock_getres, {0, 0}, 1},
        {"gettimeofday", SYS_gettimeofday, {0, 0}, 0},
        {"getitimer", SYS_getitimer, {0, 0}, 1},
        {"setitimer", SYS_setitimer, {0, 0, 0}, 1},
        {"times", SYS_times, {0}, 0},
        {"uname", SYS_uname, {0}, 0},
        {"sysinfo", SYS_sysinfo, {0}, 0},
        {"getrusage", SYS_getrusage, {0, 0}, 1},
        {"getrlimit", SYS_getrlimit, {0, 0}, 1},
        {"prlimit64", SYS_prlimit64, {0, 0, 0, 0}, 3},
        {"execve", SYS_execve, {0, 0, 0}, 0},
        {"execve, the arguments", SYS_execve, {(long)"/bin/true", 0, 0}, 1},
        {"futex", SYS_futex, {0, 0, 0, 0, 0, 0}, 0},
        {"getrandom", SYS_getrandom, {0, 16, 0}, 0},
        {"socketpair", SYS_socketpair, {1, 1, 0, 0}, 3},
        {"sched_getaffinity", SYS_sched_getaffinity, {0, 128, 0}, 2},
        {"fcntl F_GETLK", SYS_fcntl, {file, F_GETLK, 0}, 2},
        {"ioctl FIONREAD", SYS_ioctl, {ends[0], 0x541b, 0}, 2},
        {"utimensat", SYS_utimensat, {AT_FDCWD, (long)"file", 0, 0}, 2},
        {"arch_prctl", SYS_arch_prctl, {0x1003, 0}, 1},
        {"capget", SYS_capget, {0, 0}, 0},
        {"timer_create", SYS_timer_create, {0, 0, 0}, 1},
    };
    char *edge = (char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4095;
    must("munmap", munmap(edge + 1, 4096));
    *edge = 'e';
    long wild[] = {8, (long)KERNEL_ADDRESS, (long)0x8000000000000000ul, -1, (long)edge};
    for (size_t i = 0; i < COUNT(calls); i++) {
        char out[256] = "";
        for (size_t w = 0; w < COUNT(wild); w++) {
            long a[6];
            memcpy(a, calls[i].arguments, sizeof a);
            *edge = 'e';
            a[calls[i].wild] = wild[w];
            long value = syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
            size_t used = strlen(out);
            if (value == -1) snprintf(out + used, sizeof out - used, " %s", errno_name(errno));
            else snprintf(out + used, sizeof out - used, " ok");
        }
        line("%s:%s", calls[i].name, out);
    }
    return 0;
}
