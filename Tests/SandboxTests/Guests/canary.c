// A process of the host that must feel nothing of what guests do: it keeps a page, a pipe with bytes in it, a signal that is
// pending and its descriptors, and says for each line that it reads whether all of that is as it was.
#include "adversary.h"

#include <dirent.h>
#include <sys/ioctl.h>

enum { BYTES = 1000 };

static int descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int number = 0;
    while (folder && readdir(folder)) number++;
    if (folder) closedir(folder);
    return number;
}

int main(void) {
    (void)in_child, (void)watch, (void)start_witness, (void)end_witness, (void)arguments;
    setvbuf(stdout, 0, _IONBF, 0);
    sigset_t all, pending;
    sigfillset(&all);
    sigdelset(&all, SIGTERM);
    sigprocmask(SIG_BLOCK, &all, 0);
    raise(SIGUSR1);
    unsigned char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int pair[2];
    if (page == MAP_FAILED || pipe(pair) < 0) return 4;
    for (int i = 0; i < 4096; i++) page[i] = (unsigned char)(i * 7 + i / 256);
    if (write(pair[1], page, BYTES) != BYTES) return 4;
    int held = descriptors(), parent = getppid(), group = getpgrp();
    puts("whole");
    char line[16];
    while (read(0, line, sizeof line) > 0) {
        const char *wrong = 0;
        int waiting = 0;
        for (int i = 0; i < 4096; i++)
            if (page[i] != (unsigned char)(i * 7 + i / 256)) wrong = "a byte of its page";
        if (ioctl(pair[0], FIONREAD, &waiting) < 0 || waiting != BYTES) wrong = "what its pipe holds";
        sigpending(&pending);
        for (int number = 1; number < 65; number++)
            if (sigismember(&pending, number) == 1 && number != SIGUSR1) wrong = "a signal that came";
        if (descriptors() != held) wrong = "its descriptors";
        if (getppid() != parent || getpgrp() != group) wrong = "its parent or group";
        puts(wrong ? wrong : "whole");
    }
    return 0;
}
