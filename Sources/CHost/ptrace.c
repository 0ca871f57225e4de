#define _GNU_SOURCE
#include "ptrace_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/ptrace.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The C library's <sys/ptrace.h> and the kernel's <linux/ptrace.h> exclude each other.
static long trace(long request, int task, unsigned long address, unsigned long data) {
    long result = syscall(SYS_ptrace, request, (long)task, address, data);
    return result < 0 ? -errno : result;
}

/// Every write goes to a pipe that exists, with one whole message.
static void put(int descriptor, const void *bytes, size_t count) {
    while (write(descriptor, bytes, count) < 0 && errno == EINTR) {}
}

static void become(const char *path, char *const arguments[], char *const environment[], const char *directory,
                   const int standard[3], int session, int release, int failure) {
    char byte;
    long got;
    do got = read(release, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1) _exit(127);
    // Traced from here on: the trace's own option takes over, and the program does not see this one.
    prctl(PR_SET_PDEATHSIG, 0);
    if (session && setsid() < 0) goto failed;
    // Out of the way of 0 to 2 first: the caller may hand them over in any order.
    int moved[3];
    for (int index = 0; index < 3; index++) {
        moved[index] = standard[index] < 0 ? -1 : fcntl(standard[index], F_DUPFD_CLOEXEC, 10);
        if (standard[index] >= 0 && moved[index] < 0) goto failed;
    }
    for (int index = 0; index < 3; index++) {
        if (moved[index] >= 0 && dup2(moved[index], index) < 0) goto failed;
    }
    syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (directory && chdir(directory) < 0) goto failed;
    execve(path, arguments, environment);
failed:;
    int error = errno;
    put(failure, &error, sizeof error);
    _exit(127);
}

int apus_ptrace_spawn(const char *path, char *const arguments[], char *const environment[], const char *directory,
                      const int standard[3], int session, int *release, int *failure) {
    int go[2], fail[2];
    if (pipe2(go, O_CLOEXEC) < 0) return -errno;
    if (pipe2(fail, O_CLOEXEC) < 0) {
        int error = errno;
        close(go[0]), close(go[1]);
        return -error;
    }
    // No handler of ours may run in the child before it has reset them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int child = fork();
    int error = errno;
    if (child == 0) {
        struct sigaction standardAction = {.sa_handler = SIG_DFL};
        for (int number = 1; number < 65; number++) sigaction(number, &standardAction, NULL);
        sigset_t none;
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        // Until it is traced, nothing else ends it with its tracer.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(go[1]), close(fail[0]);
        become(path, arguments, environment, directory, standard, session, go[0], fail[1]);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(go[0]), close(fail[1]);
    if (child < 0) {
        close(go[1]), close(fail[0]);
        return -error;
    }
    *release = go[1];
    *failure = fail[0];
    return child;
}

int apus_ptrace_seize(int task) {
    return (int)trace(PTRACE_SEIZE, task, 0,
                      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
}

int apus_ptrace_interrupt(int task) { return (int)trace(PTRACE_INTERRUPT, task, 0, 0); }

void apus_ptrace_release(int release) {
    put(release, "", 1);
    close(release);
}

int apus_ptrace_failure(int failure) {
    int error = 0;
    long got;
    do got = read(failure, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    close(failure);
    return got == sizeof error ? error : 0;
}

/// A real-time signal that nothing else here uses; it is blocked but for the time of a wait.
static int tick(void) { return SIGRTMAX - 2; }

static void on_tick(int number) { (void)number; }

static void mask_tick(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, tick());
    pthread_sigmask(how, &set, NULL);
}

int apus_ptrace_ticks(uint64_t milliseconds, intptr_t *ticks) {
    // Without SA_RESTART: the wait is to return. The handler is the same for all tracers of this process.
    struct sigaction action = {.sa_handler = on_tick};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = tick()};
    struct timespec period = {.tv_sec = (time_t)(milliseconds / 1000), .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    struct itimerspec times = {.it_interval = period, .it_value = period};
    timer_t timer;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    mask_tick(SIG_BLOCK);
    if (sigaction(tick(), &action, NULL) < 0) return -errno;
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0) return -errno;
    if (timer_settime(timer, 0, &times, NULL) < 0) {
        int error = errno;
        timer_delete(timer);
        return -error;
    }
    *ticks = (intptr_t)timer;
    return 0;
}

void apus_ptrace_ticks_end(intptr_t ticks) { timer_delete((timer_t)ticks); }

int apus_ptrace_wait(int *status, int block) {
    // A tick that came meanwhile ends here; the next one interrupts the wait.
    if (block) mask_tick(SIG_UNBLOCK);
    // __WNOTHREAD: other threads of this process may have children and tracees of their own.
    long got = waitpid(-1, status, __WALL | __WNOTHREAD | (block ? 0 : WNOHANG));
    if (got < 0) got = -errno;
    if (block) mask_tick(SIG_BLOCK);
    return (int)got;
}

int apus_ptrace_wait_for(int task, int *status) {
    long got;
    do got = waitpid(task, status, __WALL | __WNOTHREAD);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : (int)got;
}

int apus_ptrace_resume(int task, int signal) { return (int)trace(PTRACE_SYSCALL, task, 0, (unsigned long)signal); }

int apus_ptrace_continue(int task, int signal) { return (int)trace(PTRACE_CONT, task, 0, (unsigned long)signal); }

int apus_ptrace_detach(int task) { return (int)trace(PTRACE_DETACH, task, 0, 0); }

int apus_ptrace_listen(int task) { return (int)trace(PTRACE_LISTEN, task, 0, 0); }

int apus_ptrace_message(int task, unsigned long *message) {
    return (int)trace(PTRACE_GETEVENTMSG, task, 0, (unsigned long)message);
}

int apus_ptrace_call_info(int task, struct apus_ptrace_call *call) {
    struct ptrace_syscall_info info;
    memset(&info, 0, sizeof info);
    memset(call, 0, sizeof *call);
    long got = trace(PTRACE_GET_SYSCALL_INFO, task, sizeof info, (unsigned long)&info);
    if (got < 0) return (int)got;
    call->architecture = info.arch;
    call->instruction_pointer = info.instruction_pointer;
    call->stack_pointer = info.stack_pointer;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        call->phase = 1;
        call->number = info.entry.nr;
        for (int index = 0; index < 6; index++) call->arguments[index] = info.entry.args[index];
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        call->phase = 2;
        call->result = info.exit.rval;
    }
    return 0;
}

int apus_ptrace_signal_info(int task, struct apus_ptrace_signal *signal) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    memset(signal, 0, sizeof *signal);
    long got = trace(PTRACE_GETSIGINFO, task, 0, (unsigned long)&info);
    if (got < 0) return (int)got;
    signal->number = info.si_signo;
    signal->code = info.si_code;
    switch (info.si_signo) {
    case SIGSEGV: case SIGBUS: case SIGILL: case SIGFPE: case SIGTRAP:
        // Sent by a process, they carry its number; raised by the processor, the address.
        if (info.si_code > 0 && info.si_code != SI_KERNEL) {
            signal->address = (uint64_t)info.si_addr;
            return 0;
        }
        break;
    case SIGCHLD:
        signal->value = info.si_status;
        break;
    case SIGSYS:
        if (info.si_code > 0 && info.si_code != SI_KERNEL) {
            signal->value = info.si_syscall;
            signal->address = (uint64_t)info.si_call_addr;
            return 0;
        }
        break;
    default: break;
    }
    if (info.si_code == SI_TIMER || info.si_code == SI_QUEUE || info.si_code == SI_MESGQ || info.si_code == SI_ASYNCIO) {
        signal->value = info.si_value.sival_int;
    }
    int has_sender = info.si_code == SI_USER || info.si_code == SI_TKILL || info.si_code == SI_QUEUE ||
                     info.si_code == SI_MESGQ || (info.si_signo == SIGCHLD && info.si_code > 0);
    if (has_sender) signal->sender = info.si_pid;
    return 0;
}

long apus_ptrace_read(int task, uint64_t address, void *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        struct iovec local = {(char *)bytes + done, count - done};
        struct iovec remote = {(void *)(address + done), count - done};
        long got = process_vm_readv(task, &local, 1, &remote, 1, 0);
        if (got > 0) {
            done += (size_t)got;
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        // One unreadable page fails the whole of a single remote range on some kernels: try up to the page's end.
        size_t page = 4096 - (size_t)((address + done) % 4096);
        if (count - done <= page) break;
        local.iov_len = remote.iov_len = page;
        got = process_vm_readv(task, &local, 1, &remote, 1, 0);
        if (got <= 0) break;
        done += (size_t)got;
    }
    return (long)done;
}

int apus_ptrace_kill(int process) { return kill(process, SIGKILL) < 0 ? -errno : 0; }

struct start {
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    struct start *start = argument;
    start->body(start->context);
    return NULL;
}

int apus_ptrace_on_thread(void (*body)(void *), void *context) {
    struct start start = {body, context};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 8 << 20);
    int error = pthread_create(&thread, &attributes, run, &start);
    pthread_attr_destroy(&attributes);
    if (error) return -error;
    pthread_join(thread, NULL);
    return 0;
}

int apus_ptrace_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0; }

long apus_ptrace_read_descriptor(int descriptor, void *bytes, size_t count) {
    long got;
    do got = read(descriptor, bytes, count);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

void apus_ptrace_close(int descriptor) { close(descriptor); }

int64_t apus_ptrace_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
