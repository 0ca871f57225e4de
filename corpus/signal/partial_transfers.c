/*
 * summary: a call that a handler interrupts after it has moved some bytes returns their number
 * calls: write read sendto recvfrom writev rt_sigaction
 */
#include "apus.h"
#include <sys/socket.h>
#include <sys/uio.h>

static volatile int handled;
static pid_t sender;
static char big[1 << 20];

static void handler(int number) { handled += number != 0; }

static void start(void) {
    pid_t target = getpid();
    handled = 0;
    sender = must("fork", fork());
    if (sender == 0) {
        signal(SIGUSR1, SIG_DFL);
        for (;;) {
            usleep(1000);
            if (kill(target, SIGUSR1) != 0) _exit(0);
        }
    }
}

static long stop(long value) {
    int error = errno;
    kill(sender, SIGKILL);
    while (waitpid(sender, NULL, 0) < 0 && errno == EINTR) continue;
    errno = error;
    return value;
}

static void run(const char *name, int flags) {
    int ends[2], pair[2];
    line("%s:", name);
    handle(SIGUSR1, handler, flags);
    must("pipe", pipe(ends));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));

    start();
    result("write of a mebibyte into a pipe", stop(write(ends[1], big, sizeof big)));
    fact("a handler ran", handled > 0);
    result("what is in the pipe", read(ends[0], big, sizeof big));
    struct iovec parts[3] = {{big, 40000}, {big, 40000}, {big, 40000}};
    start();
    result("writev", stop(writev(ends[1], parts, 3)));
    result("what is in the pipe", read(ends[0], big, sizeof big));
    start();
    long sent = stop(send(pair[0], big, sizeof big, 0)), received = 0;
    fact("send into a socket: some, not all", sent > 0 && sent < (long)sizeof big);
    for (long n; (n = recv(pair[1], big, sizeof big, MSG_DONTWAIT)) > 0;) received += n;
    fact("that much arrives", received == sent);
    must("send", send(pair[0], "some", 4, 0));
    start();
    result("recv that waits for all of 10 bytes", stop(recv(pair[1], big, 10, MSG_WAITALL)));
    close(ends[0]);
    close(ends[1]);
    close(pair[0]);
    close(pair[1]);
}

int main(void) {
    run("without SA_RESTART", 0);
    run("with SA_RESTART", SA_RESTART);
    return 0;
}
