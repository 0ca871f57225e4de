/*
 * summary: RLIMIT_CPU: SIGXCPU at the soft limit, which a handler may survive, SIGKILL at the hard one
 * calls: setrlimit rt_sigaction wait4
 * timeout: 90
 */
#include "apus.h"

static volatile int told;

static void handler(int number) {
    if (told++ == 0) line("handled %s", signal_name(number));
}

static void works(void) {
    for (volatile long i = 0;; i++) continue;
}

static void by_default(void) {
    struct rlimit limit = {1, 5};
    signal(SIGXCPU, SIG_DFL);
    must("setrlimit", setrlimit(RLIMIT_CPU, &limit));
    works();
}

static void with_a_handler(void) {
    struct rlimit limit = {1, 2};
    handle(SIGXCPU, handler, 0);
    must("setrlimit", setrlimit(RLIMIT_CPU, &limit));
    works();
}

int main(void) {
    no_core();
    wait_status("by default", in_child(by_default));
    wait_status("with a handler", in_child(with_a_handler));
    return 0;
}
