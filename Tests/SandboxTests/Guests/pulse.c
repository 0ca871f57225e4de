// What a well-behaved program feels beside an adversary: it sleeps 10 ms, makes some calls, and notes how late it is. Given a
// guest's command it starts that one first and ends what is left of it; without one it beats until its input ends, which is
// how the soak runs it natively beside the sandbox.
//
// It tells of itself in lines: `r` when it stands, `b MICROSECONDS` ten times a second with the greatest lateness since the
// last, `e STATUS` when the guest has ended and everything with it, `d CALLS MICROSECONDS` at the end. After `r` and `e` it
// waits for a byte, while the soak looks at the kernel process.
#include "adversary.h"

#include <poll.h>

static int wait_for_byte(void) {
    char byte;
    long got;
    do got = read(0, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

/// Ends whatever the guest has left, of whichever user. Only the first process of a sandbox may say so (host processes have greater numbers).
static void end_everybody(void) {
    if (getpid() > 2) return;
    double end = seconds_now() + 20;
    for (;;) {
        kill(-1, SIGKILL);
        pid_t got;
        while ((got = waitpid(-1, 0, WNOHANG | __WALL)) > 0) {}
        if (got < 0 && errno == ECHILD) return;
        if (seconds_now() > end) {
            fprintf(stderr, "pulse: somebody does not die of SIGKILL\n");
            exit(6);
        }
        pause_for(2000);
    }
}

int main(int count, char **words) {
    (void)in_child, (void)watch, (void)start_witness, (void)end_witness, (void)arguments;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, 0, _IOLBF, 0);
    int pair[2];
    if (pipe(pair) < 0) return 4;
    puts("r");
    if (!wait_for_byte()) return 4;
    pid_t guest = 0;
    if (count > 1) {
        guest = fork();
        if (guest < 0) return 4;
        if (guest == 0) {
            // Its words go where errors go: this output is for the pulse.
            int nothing = open("/dev/null", O_RDONLY);
            dup2(nothing, 0), dup2(2, 1);
            close(nothing), close(pair[0]), close(pair[1]);
            setsid();
            execv(words[1], words + 1);
            perror(words[1]);
            _exit(127);
        }
    }
    long calls = 0;
    double worst = 0, latest = 0;
    int status = 0;
    for (long beat = 1;; beat++) {
        double before = seconds_now();
        pause_for(10000);
        char byte = (char)beat;
        if (write(pair[1], &byte, 1) != 1 || read(pair[0], &byte, 1) != 1 || byte != (char)beat) {
            fprintf(stderr, "pulse: a byte through a pipe came back as another: %s\n", strerror(errno));
            return 5;
        }
        double late = (seconds_now() - before - 0.01) * 1e6;
        calls += 3;
        if (late > latest) latest = late;
        if (latest > worst) worst = latest;
        if (beat % 10 == 0 || late > 100000) printf("b %.0f\n", latest), latest = 0;
        if (guest > 0 && waitpid(guest, &status, WNOHANG | __WALL) == guest) break;
        struct pollfd input = {0, POLLIN, 0};
        if (guest == 0 && poll(&input, 1, 0) > 0) break;
    }
    if (guest > 0) {
        end_everybody();
        close(pair[0]), close(pair[1]);
        // What ends in the host lags behind a little.
        pause_for(100000);
        printf("e %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        if (!wait_for_byte()) return 4;
    }
    printf("d %ld %.0f\n", calls, worst);
    return 0;
}
