/*
 * summary: reading without writers is the end, writing without readers is SIGPIPE or EPIPE
 * calls: pipe2 read write close fork rt_sigaction
 */
#include "apus.h"
#include <fcntl.h>

static volatile int signals;

static void count(int number) { signals += number == SIGPIPE; }

static void writes_into_nothing(void) {
    int ends[2];
    must("pipe", pipe(ends));
    close(ends[0]);
    signal(SIGPIPE, SIG_DFL);
    write(ends[1], "x", 1) == 1 ? line("written") : line("not written");
}

int main(void) {
    int ends[2];
    char data[8];
    must("pipe", pipe(ends));
    fact("the first is for reading", (fcntl(ends[0], F_GETFL) & O_ACCMODE) == O_RDONLY);
    fact("the second for writing", (fcntl(ends[1], F_GETFL) & O_ACCMODE) == O_WRONLY);
    result("write to the reading end", write(ends[0], "x", 1));
    result("read of the writing end", read(ends[1], data, 1));
    result("write", write(ends[1], "abcdef", 6));
    result("a short read", read(ends[0], data, 4));
    result("the rest", read(ends[0], data, 8));
    int copy = must("dup", dup(ends[1]));
    must("write", write(copy, "last", 4));
    must("close", close(ends[1]));
    must("close", close(copy));
    result("data outlives the writers", read(ends[0], data, 8));
    result("then the end", read(ends[0], data, 8));
    result("and again", read(ends[0], data, 8));

    must("close", close(ends[0]));
    must("pipe", pipe(ends));
    handle(SIGPIPE, count, 0);
    int reader = must("dup", dup(ends[0]));
    must("close", close(ends[0]));
    result("a reader is left", write(ends[1], "x", 1));
    must("close", close(reader));
    result("no reader", write(ends[1], "x", 1));
    number("SIGPIPEs handled", signals);
    result("no reader, no bytes", write(ends[1], "", 0));
    number("SIGPIPEs handled", signals);
    handle(SIGPIPE, SIG_IGN, 0);
    result("ignored", write(ends[1], "x", 1));
    wait_status("by default", in_child(writes_into_nothing));

    must("close", close(ends[1]));
    must("pipe", pipe(ends));
    pid_t child = must("fork", fork());
    if (child == 0) {
        close(ends[0]);
        for (int i = 0; i < 3; i++) must("write", write(ends[1], "child", 5));
        _exit(0);
    }
    close(ends[1]);
    long total = 0;
    for (long n; (n = read(ends[0], data, sizeof data)) > 0;) total += n;
    number("bytes until the child's end", total);
    wait_status("the child", wait_for(child));

    must("pipe", pipe(ends));
    child = must("fork", fork());
    if (child == 0) {
        char big[100000] = "";
        close(ends[0]);
        signal(SIGPIPE, SIG_DFL);
        must("write", write(ends[1], big, sizeof big));
        _exit(0);
    }
    close(ends[1]);
    must("read", read(ends[0], data, 1));
    close(ends[0]);
    wait_status("a writer that blocks when the reader leaves", wait_for(child));
    return 0;
}
