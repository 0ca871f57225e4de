/*
 * summary: a timer's signals interrupt calls that are made over and over, at whatever instruction, and nothing is lost
 * calls: setitimer read write getppid
 */
#include "apus.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/time.h>

static volatile long handled, outside;

static void handler(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    (void)context;
    /* A call of the handler's own, by the site that may have been interrupted. */
    if (getppid() <= 0) outside++;
    handled++;
}

/* Steps of a sum in registers that a call must keep, with one call in each. */
static uint64_t sum(long rounds, int zero, int null) {
    uint64_t kept = 1;
    double product = 1;
    char byte;
    for (long i = 0; i < rounds; i++) {
        byte = 1;
        if (read(zero, &byte, 1) != 1 || byte != 0) return 0;
        if (write(null, &byte, 1) != 1) return 0;
        if (syscall(SYS_getppid) <= 0) return 0;
        kept = kept * 6364136223846793005u + (uint64_t)i;
        product = product * 1.0000001 + (double)i;
    }
    return kept ^ (uint64_t)product;
}

int main(void) {
    int null = must("open", open("/dev/null", O_WRONLY)), zero = must("open", open("/dev/zero", O_RDONLY));
    uint64_t quiet = sum(200, zero, null);
    fact("the sum without signals", quiet != 0);
    handle_info(SIGALRM, handler, SA_RESTART);
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    must("setitimer", setitimer(ITIMER_REAL, &often, NULL));
    long same = 0, tries = 0;
    while (tries < 10 || handled < 5) {
        same += sum(200, zero, null) == quiet;
        tries++;
    }
    must("setitimer", setitimer(ITIMER_REAL, &never, NULL));
    fact("every sum is the same", same == tries);
    fact("the handler's calls were answered", outside == 0);
    return 0;
}
