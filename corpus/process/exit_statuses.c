/*
 * summary: what a parent learns of a child's end: exit codes are cut to a byte, deadly signals are named
 * calls: exit exit_group wait4 kill
 */
#include "apus.h"
#include <pthread.h>

static void *leave_process(void *argument) {
    exit((int)(long)argument);
}

static void ends_by_exit(void) { exit(200); }
static void ends_by_big_code(void) { _exit(256 + 17); }
static void ends_by_negative_code(void) { _exit(-1); }
static void ends_by_abort(void) { abort(); }

static void ends_in_a_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, leave_process, (void *)33L);
    for (;;) pause();
}

static void raw_exit_of_the_only_thread(void) { syscall(SYS_exit, 44); }

static void runs_atexit(void);
static void last(void) { line("atexit function"); }
static void runs_atexit(void) {
    atexit(last);
    exit(1);
}

int main(void) {
    no_core();
    wait_status("exit(200)", in_child(ends_by_exit));
    wait_status("_exit(256 + 17)", in_child(ends_by_big_code));
    wait_status("_exit(-1)", in_child(ends_by_negative_code));
    wait_status("abort", in_child(ends_by_abort));
    wait_status("exit in a second thread", in_child(ends_in_a_thread));
    wait_status("exit(2) of the only thread", in_child(raw_exit_of_the_only_thread));
    wait_status("exit with atexit", in_child(runs_atexit));
    static const int deadly[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,   SIGBUS,  SIGFPE,
                                 SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM,   SIGTERM, SIGXCPU,
                                 SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGSYS,  SIGSTKFLT, SIGPWR};
    static const int harmless[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};
    for (size_t i = 0; i < COUNT(deadly); i++) {
        pid_t child = must("fork", fork());
        if (child == 0) {
            signal(deadly[i], SIG_DFL);
            kill(getpid(), deadly[i]);
            _exit(1);
        }
        wait_status(signal_name(deadly[i]), wait_for(child));
    }
    for (size_t i = 0; i < COUNT(harmless); i++) {
        pid_t child = must("fork", fork());
        if (child == 0) {
            kill(getpid(), harmless[i]);
            _exit(60 + i);
        }
        wait_status(signal_name(harmless[i]), wait_for(child));
    }
    return 0;
}
