/*
 * summary: thousands of signals against system calls, faults and forks: nothing is lost, doubled or left half done
 * calls: kill rt_sigaction rt_sigreturn read write fork wait4 mmap
 */
#include "apus.h"
#include <setjmp.h>
#include <sys/mman.h>

static volatile long usr1, usr2;
static sigjmp_buf back;

static void counts(int number) {
    if (number == SIGUSR1) usr1++;
    else usr2++;
}

static void jumps(int number) { siglongjmp(back, number); }

static pid_t storm(int number) {
    pid_t target = getpid(), child = must("fork", fork());
    if (child == 0) {
        signal(number, SIG_DFL);
        while (kill(target, number) == 0) usleep(50);
        _exit(0);
    }
    return child;
}

static void calm(pid_t child) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
}

int main(void) {
    int ends[2];
    char data[100] = {0};
    handle(SIGUSR1, counts, SA_RESTART);
    handle(SIGUSR2, counts, 0);
    handle(SIGSEGV, jumps, SA_NODEFER);
    must("pipe", pipe(ends));

    pid_t child = storm(SIGUSR1);
    long moved = 0, odd = 0;
    for (int i = 0; i < 20000; i++) {
        long n = write(ends[1], data, i % 100 + 1), m = read(ends[0], data, 100);
        odd += n != i % 100 + 1 || m != n;
        moved += m;
    }
    number("bytes through a pipe", moved);
    number("odd results", odd);
    while (usr1 < 10) pause();
    calm(child);

    child = storm(SIGUSR2);
    volatile long faults = 0;
    if (sigsetjmp(back, 1) != 0) faults++;
    if (faults < 2000) *(volatile char *)WILD = 1;
    number("faults jumped out of", faults);
    int good = 0;
    for (int i = 0; i < 100; i++) {
        pid_t worker = fork();
        if (worker == 0) _exit(7);
        int status;
        while (waitpid(worker, &status, 0) < 0 && errno == EINTR) continue;
        good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    number("forks", good);
    long sum = 0;
    for (int i = 0; i < 500; i++) {
        char *page = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        page[i * 7 % 16384] = 1;
        for (int k = 0; k < 16384; k++) sum += page[k];
        munmap(page, 16384);
    }
    number("pages touched", sum);
    double x = 1;
    for (int i = 0; i < 3000000; i++) x = x * 1.0000001 + 0.0000001;
    line("floating point: %.6f", x);
    while (usr2 < 10) pause();
    calm(child);
    fact("many were handled", usr1 >= 10 && usr2 >= 10);
    return 0;
}
