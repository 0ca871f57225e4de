/*
 * What the cases of the corpus share: one line per checked fact, written at once.
 *
 * Every line goes out by a single write(2), so nothing sits in a buffer that a fork would double, that a death by signal
 * would lose, or that threads would mix. Results come with the errno's name, never with its number or the C library's
 * sentence. All of it may be used in a signal handler.
 */
#ifndef APUS_H
#define APUS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define APUS_UNUSED __attribute__((unused))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Null, an address in the page that no process has mapped, and one that lies outside the user's half: read from memory, so
 * that no compiler sees what they are and warns, or builds on it.
 */
static volatile unsigned long APUS_UNUSED apus_addresses[3] = {0, 8, 0xffff888000000000ul};
#define NOTHING ((void *)apus_addresses[0])
#define WILD ((void *)apus_addresses[1])
#define KERNEL_ADDRESS ((void *)apus_addresses[2])

/*
 * A key of System V's, another one for each variant of a case: natively they may run at the same time, and keys are
 * everybody's.
 */
static int APUS_UNUSED variant_key(int base) {
#ifdef __GLIBC__
    base += 2;
#endif
    return base + (getauxval(AT_BASE) != 0);
}

/* The name of an errno; "E?" for one that no case should meet. */
static const char *APUS_UNUSED errno_name(int number) {
    static const struct { int number; const char *name; } names[] = {
#define E(name) {name, #name}
        E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN),
        E(ENOMEM), E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR),
        E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK),
        E(EPIPE), E(EDOM), E(ERANGE), E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK), E(ENOSYS), E(ENOTEMPTY), E(ELOOP),
        E(ENODATA), E(EOVERFLOW), E(EIDRM), E(ENOMSG), E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT),
        E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE),
        E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN),
        E(ENOTCONN), E(ETOOMANYREFS), E(ETIMEDOUT), E(ECONNREFUSED), E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS),
        E(ESTALE), E(EDQUOT), E(ECANCELED), E(EOWNERDEAD), E(ENOTRECOVERABLE), E(ELIBBAD),
#undef E
    };
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].number == number) return names[i].name;
    return number == 0 ? "none" : "E?";
}

/* The name of a signal; real-time signals (by the kernel's numbers, from 32 on) all are "SIGRT". */
static const char *APUS_UNUSED signal_name(int number) {
    static const char *const names[] = {
        "none", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
        "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
        "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
        "SIGSYS",
    };
    if (number >= 0 && number < (int)COUNT(names)) return names[number];
    return number <= 64 ? "SIGRT" : "SIG?";
}

/* One line, by one write. errno is left alone. */
static void APUS_UNUSED __attribute__((format(printf, 1, 2))) line(const char *format, ...) {
    char text[2048];
    int saved = errno;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof text - 2) length = sizeof text - 2;
    text[length++] = '\n';
    for (int done = 0; done < length;) {
        ssize_t n = write(1, text + done, length - done);
        if (n < 0 && errno != EINTR) _exit(98);
        if (n > 0) done += n;
    }
    errno = saved;
}

/* "what: 5" or "what: -1 EBADF": for results that are the same on every machine. */
static void APUS_UNUSED result(const char *what, long value) {
    if (value == -1) line("%s: -1 %s", what, errno_name(errno));
    else line("%s: %ld", what, value);
}

/* "what: ok" or "what: -1 EBADF": for results whose value varies (descriptors, pids, addresses). */
static void APUS_UNUSED outcome(const char *what, long value) {
    if (value == -1) line("%s: -1 %s", what, errno_name(errno));
    else line("%s: ok", what);
}

/* "what: ok" or "what: ETIMEDOUT": for calls that return the errno itself (the pthread family). */
static void APUS_UNUSED returned(const char *what, int number) {
    line("%s: %s", what, number == 0 ? "ok" : errno_name(number));
}

/* "what: 7": a number that is no result of a call. */
static void APUS_UNUSED number(const char *what, long long value) { line("%s: %lld", what, value); }

/* "what: yes" or "what: no". */
static void APUS_UNUSED fact(const char *what, int holds) { line("%s: %s", what, holds ? "yes" : "no"); }

/* "what: text". */
static void APUS_UNUSED text(const char *what, const char *value) { line("%s: %s", what, value); }

/* "what: 'bytes'", with what is not printable as \xNN; at most 256 bytes. */
static void APUS_UNUSED bytes(const char *what, const void *data, long length) {
    char out[1100];
    size_t used = 0;
    if (length < 0) { result(what, length); return; }
    for (long i = 0; i < length && i < 256; i++) {
        unsigned char c = ((const unsigned char *)data)[i];
        if (c >= 32 && c < 127 && c != '\\' && c != '\'') out[used++] = c;
        else used += snprintf(out + used, sizeof out - used, "\\x%02x", c);
    }
    out[used] = 0;
    line("%s: '%s'%s", what, out, length > 256 ? "..." : "");
}

/* "what: exited 3", "what: killed by SIGSEGV", "what: stopped by SIGTSTP", "what: continued". */
static void APUS_UNUSED wait_status(const char *what, int status) {
    if (WIFEXITED(status)) line("%s: exited %d", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) line("%s: killed by %s", what, signal_name(WTERMSIG(status)));
    else if (WIFSTOPPED(status)) line("%s: stopped by %s", what, signal_name(WSTOPSIG(status)));
    else if (WIFCONTINUED(status)) line("%s: continued", what);
    else line("%s: unknown status", what);
}

/* For what a case needs before it can check anything: says what failed on stderr and leaves with 99. */
static long APUS_UNUSED must(const char *what, long value) {
    if (value != -1) return value;
    const char *name = errno_name(errno);
    if (write(2, what, strlen(what)) < 0 || write(2, ": ", 2) < 0 || write(2, name, strlen(name)) < 0 ||
        write(2, "\n", 1) < 0)
        _exit(97);
    _exit(99);
}

/* Deaths that a case brings about leave no core file in its directory. */
static void APUS_UNUSED no_core(void) {
    struct rlimit none = {0, 0};
    must("setrlimit RLIMIT_CORE", setrlimit(RLIMIT_CORE, &none));
}

/* waitpid that survives interruptions. */
static int APUS_UNUSED wait_for(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) must("waitpid", -1);
    return status;
}

/*
 * fork(2) that returns in the parent when it has returned in the child, with all that the C library does there: what the
 * parent then sends meets no call of that.
 */
static pid_t APUS_UNUSED ready_child(void) {
    int ends[2];
    char byte;
    must("pipe", pipe(ends));
    pid_t child = must("fork", fork());
    close(ends[child != 0]);
    if (child != 0)
        while (read(ends[0], &byte, 1) < 0)
            if (errno != EINTR) must("read", -1);
    close(ends[child == 0]);
    return child;
}

/* Runs the function in a forked child and returns the child's wait status; the function's return is exit status 0. */
static int APUS_UNUSED in_child(void (*body)(void)) {
    pid_t child = must("fork", fork());
    if (child == 0) {
        body();
        _exit(0);
    }
    return wait_for(child);
}

/* Installs a handler with these flags and an empty mask. */
static void APUS_UNUSED handle(int signal_number, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    must("sigaction", sigaction(signal_number, &action, NULL));
}

/* Likewise, for a handler that gets the siginfo. */
static void APUS_UNUSED handle_info(int signal_number, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = flags | SA_SIGINFO;
    must("sigaction", sigaction(signal_number, &action, NULL));
}

#endif
