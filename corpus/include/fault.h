/*
 * What comes of writing to an address. `caught` is to be the handler of the faults.
 */
#ifndef APUS_FAULT_H
#define APUS_FAULT_H

#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static volatile int code;
static void caught(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    code = info->si_code;
    siglongjmp(back, 1);
}
/* 0, or the code of the fault. */
static int fault(char *address) {
    code = 0;
    if (sigsetjmp(back, 1) == 0) *(volatile char *)address = 'w';
    return code;
}

#endif
