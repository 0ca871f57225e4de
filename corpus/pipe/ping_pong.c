/*
 * summary: two processes that answer each other over pipes: nothing is lost, whoever interrupts or ends one of them
 * calls: pipe2 read write close fork kill rt_sigaction
 */
#include "apus.h"

static volatile int signals;
static int there[2], back[2], signals_every;

static void count(int number) { signals += number == SIGUSR1; }

/// Answers each byte with the next one; ends with the pipe, or after so many.
static void answer(long most) {
    unsigned char byte;
    close(there[1]);
    close(back[0]);
    for (long i = 0; i < most && read(there[0], &byte, 1) == 1; i++) {
        byte++;
        if (signals_every && i % signals_every == 0) kill(getppid(), SIGUSR1);
        if (write(back[1], &byte, 1) != 1) break;
    }
    _exit(0);
}

static pid_t begin(long most) {
    must("pipe", pipe(there));
    must("pipe", pipe(back));
    pid_t child = must("fork", fork());
    if (child == 0) answer(most);
    close(there[0]);
    close(back[1]);
    return child;
}

/// How many answers of so many rounds were as they should be.
static long rounds(long count) {
    long good = 0;
    for (long i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)i, answer = 0;
        if (write(there[1], &byte, 1) != 1 || read(back[0], &answer, 1) != 1) break;
        good += answer == (unsigned char)(byte + 1);
    }
    return good;
}

static void done(pid_t child, const char *what) {
    close(there[1]);
    wait_status(what, wait_for(child));
    char byte;
    result("and nothing more comes", read(back[0], &byte, 1));
    close(back[0]);
}

int main(void) {
    pid_t child = begin(1000000);
    number("answers", rounds(400));
    done(child, "the other one");

    // The other one signals now and then before it answers.
    handle(SIGUSR1, count, SA_RESTART);
    signals_every = 50;
    child = begin(1000000);
    number("answers beside signals", rounds(300));
    done(child, "the other one");
    number("signals", signals);
    signals_every = 0;

    // It ends in the midst of it.
    handle(SIGPIPE, SIG_IGN, 0);
    child = begin(300);
    number("answers until it ended", rounds(1000));
    wait_status("the other one", wait_for(child));
    close(there[1]);
    close(back[0]);

    // Or is killed while it waits for its turn, having been asked often.
    child = begin(1000000);
    number("answers", rounds(200));
    must("kill", kill(child, SIGKILL));
    wait_status("killed", wait_for(child));
    unsigned char byte = 0;
    result("nobody reads", write(there[1], &byte, 1));
    result("nobody writes", read(back[0], &byte, 1));

    // Stopped, and let go on.
    close(there[1]);
    close(back[0]);
    child = begin(1000000);
    number("answers", rounds(200));
    must("kill", kill(child, SIGSTOP));
    int status;
    must("waitpid", waitpid(child, &status, WUNTRACED));
    fact("stopped", WIFSTOPPED(status));
    must("kill", kill(child, SIGCONT));
    number("answers afterwards", rounds(200));
    done(child, "the other one");
    return 0;
}
