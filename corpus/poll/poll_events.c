/*
 * summary: poll and ppoll report what is there: readiness, hang-ups, errors, invalid descriptors, time-outs and masks
 * calls: poll ppoll pipe2 socketpair
 */
#include "apus.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

static void show(const char *what, int fd, short events) {
    struct pollfd one = {.fd = fd, .events = events, .revents = 0x5555};
    int n = poll(&one, 1, 0);
    char flags[64] = "";
    static const struct {
        short bit;
        const char *name;
    } names[] = {{POLLIN, " IN"},   {POLLOUT, " OUT"},   {POLLPRI, " PRI"},    {POLLERR, " ERR"},
                 {POLLHUP, " HUP"}, {POLLNVAL, " NVAL"}, {POLLRDHUP, " RDHUP"}};
    for (size_t i = 0; i < COUNT(names); i++)
        if (one.revents & names[i].bit) strcat(flags, names[i].name);
    line("%s: %d%s", what, n, flags);
}

static volatile int handled;

static void handler(int number) { handled += number != 0; }

int main(void) {
    int ends[2], pair[2], all = POLLIN | POLLOUT | POLLPRI | POLLRDHUP;
    must("pipe", pipe2(ends, O_NONBLOCK));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    show("an empty pipe, reading", ends[0], all);
    show("writing", ends[1], all);
    static char data[65536];
    must("write", write(ends[1], data, sizeof data));
    show("a full pipe, reading", ends[0], all);
    show("writing", ends[1], all);
    must("read", read(ends[0], data, 4095));
    show("4,095 bytes read, writing", ends[1], all);
    must("read", read(ends[0], data, 1));
    show("a page read, writing", ends[1], all);
    int copy = must("dup", dup(ends[1]));
    must("close", close(ends[1]));
    show("one writer left, reading", ends[0], all);
    must("close", close(copy));
    show("no writer, data left", ends[0], all);
    must("read", read(ends[0], data, sizeof data));
    show("no writer, no data", ends[0], all);
    show("asked for nothing", ends[0], 0);
    must("pipe", pipe(ends));
    must("close", close(ends[0]));
    show("no reader, writing", ends[1], all);
    show("a socket", pair[0], all);
    must("write", write(pair[1], "x", 1));
    show("with data", pair[0], all);
    must("shutdown", shutdown(pair[1], SHUT_WR));
    show("its peer writes no more", pair[0], all);
    must("close", close(pair[1]));
    show("its peer is gone", pair[0], all);
    show("a closed descriptor", 99, all);
    show("a negative one", -1, all);
    int file = must("open", open("file", O_RDWR | O_CREAT, 0600));
    show("a file", file, all);
    show("a directory", must("open", open(".", O_RDONLY)), POLLIN | POLLOUT);

    result("nothing, a time-out", poll(NULL, 0, 1));
    struct pollfd many[3] = {{-1, POLLIN, 0}, {file, POLLIN, 0}, {99, POLLIN, 0}};
    result("three of which two count", poll(many, 3, -1));
    result("a wild array", poll(WILD, 1, 0));
    result("too many", syscall(SYS_poll, NULL, 1 << 30, 0));
    struct timespec bad = {0, 1000000000}, zero = {0, 0}, minute = {60, 0};
    result("ppoll: bad time", ppoll(many, 1, &bad, NULL));
    result("ppoll: no time", ppoll(many, 1, &zero, NULL));
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    must("sigprocmask", sigprocmask(SIG_BLOCK, &set, NULL));
    handle(SIGUSR1, handler, SA_RESTART);
    kill(getpid(), SIGUSR1);
    result("poll does not see a blocked signal", poll(many, 1, 1));
    number("handled", handled);
    result("ppoll unblocks it", ppoll(many, 1, &minute, &none));
    number("handled", handled);
    kill(getpid(), SIGUSR1);
    result("ready descriptors come first", ppoll(many + 1, 1, &minute, &none));
    number("handled", handled);
    return 0;
}
