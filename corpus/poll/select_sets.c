/*
 * summary: select and pselect change their sets and time, count bits, and refuse bad descriptors and times
 * calls: select pselect6 pipe2
 */
#include "apus.h"
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

static volatile int handled;

static void handler(int number) { handled += number != 0; }

/* A child begins with what its open descriptors need: the kernel sees no number beyond its table. */
static void fresh_table(void) {
    must("close_range", syscall(SYS_close_range, 64, ~0U, 0));
    pid_t child = must("fork", fork());
    if (child == 0) {
        fd_set in;
        struct timeval zero = {0, 0};
        FD_ZERO(&in);
        FD_SET(200, &in);
        result("beyond a fresh table", select(201, &in, NULL, NULL, &zero));
        fact("and its bit stays", FD_ISSET(200, &in) != 0);
        must("dup2", dup2(0, 100));
        result("beyond a table that has grown once", select(201, &in, NULL, NULL, &zero));
        must("dup2", dup2(0, 130));
        result("within one that has grown twice", select(201, &in, NULL, NULL, &zero));
        exit(0);
    }
    must("waitpid", waitpid(child, NULL, 0));
}

int main(void) {
    int one[2], two[2];
    char byte;
    fd_set in, out, except;
    must("pipe", pipe(one));
    must("pipe", pipe(two));
    int highest = two[1] + 1;
    struct timeval zero = {0, 0}, bad = {-1, 0}, millisecond = {0, 1000};
    struct timespec zero_ns = {0, 0}, bad_ns = {0, 1000000000}, minute = {60, 0};

    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    FD_SET(one[0], &in);
    FD_SET(two[0], &in);
    FD_SET(one[1], &out);
    FD_SET(one[0], &except);
    must("write", write(two[1], "x", 1));
    result("two ready of four", select(highest, &in, &out, &except, &zero));
    line("in: %d %d", FD_ISSET(one[0], &in) != 0, FD_ISSET(two[0], &in) != 0);
    line("out: %d, except: %d", FD_ISSET(one[1], &out) != 0, FD_ISSET(one[0], &except) != 0);
    FD_ZERO(&in);
    FD_SET(one[0], &in);
    FD_SET(two[0], &in);
    result("descriptors from nfds on do not count", select(two[0], &in, NULL, NULL, &zero));
    line("in: %d, the other's bit %s", FD_ISSET(one[0], &in) != 0, FD_ISSET(two[0], &in) ? "stayed" : "is gone");
    FD_ZERO(&in);
    FD_SET(one[0], &in);
    result("a time-out", select(highest, &in, NULL, NULL, &millisecond));
    line("the time left: %ld.%06ld", (long)millisecond.tv_sec, (long)millisecond.tv_usec);
    number("the set is empty", !FD_ISSET(one[0], &in));
    result("no descriptors, no time", select(0, NULL, NULL, NULL, &zero));
    FD_SET(two[0], &in);
    must("close", close(one[1]));
    FD_SET(one[0], &in);
    result("an end of file is readable", select(highest, &in, NULL, NULL, &zero));
    must("read", read(two[0], &byte, 1));
    /* The table has room for 256 from here on, whatever was inherited. */
    must("dup2", dup2(one[0], 255));
    must("close", close(255));
    FD_ZERO(&in);
    FD_SET(200, &in);
    result("a closed descriptor", select(201, &in, NULL, NULL, &zero));
    fact("the set is left alone", FD_ISSET(200, &in) != 0);
    fresh_table();
    result("a negative nfds", syscall(SYS_select, -1, NULL, NULL, NULL, &zero));
    result("a negative time", syscall(SYS_select, 0, NULL, NULL, NULL, &bad));
    result("a wild set", syscall(SYS_select, highest, WILD, NULL, NULL, &zero));
    result("a wild time", syscall(SYS_select, 0, NULL, NULL, NULL, WILD));

    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGUSR1, handler, 0);
    kill(getpid(), SIGUSR1);
    FD_ZERO(&in);
    FD_SET(two[0], &in);
    result("pselect, blocked", pselect(highest, &in, NULL, NULL, &zero_ns, NULL));
    FD_SET(two[0], &in);
    result("pselect, unblocked", pselect(highest, &in, NULL, NULL, &minute, &none));
    number("handled", handled);
    must("sigprocmask", sigprocmask(SIG_BLOCK, NULL, &set));
    fact("the mask is back", sigismember(&set, SIGUSR1));
    FD_SET(two[0], &in);
    result("pselect, a bad time", syscall(SYS_pselect6, highest, &in, NULL, NULL, &bad_ns, NULL));
    struct { void *set; size_t size; } odd = {&none, 4};
    result("pselect, a set of 4 bytes", syscall(SYS_pselect6, highest, &in, NULL, NULL, &zero_ns, &odd));
    return 0;
}
