/*
 * summary: SIGSEGV tells an unmapped address from a forbidden access, with si_addr and the page fault's error code
 * calls: rt_sigaction mmap mprotect
 */
#include "apus.h"
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>

static sigjmp_buf back;
static siginfo_t seen;
static unsigned long error_code, fault_address;

static void fault(int number, siginfo_t *info, void *context) {
    ucontext_t *state = context;
    seen = *info;
    error_code = state->uc_mcontext.gregs[19];
    fault_address = state->uc_mcontext.gregs[22];
    siglongjmp(back, number);
}

static void show(const char *what, void *address) {
    const char *code = seen.si_code == SEGV_MAPERR   ? "SEGV_MAPERR"
                       : seen.si_code == SEGV_ACCERR ? "SEGV_ACCERR"
                       : seen.si_code == SI_KERNEL   ? "SI_KERNEL"
                                                     : "?";
    line("%s: %s, si_addr is the address %s, write %d, fetch %d", what, code, seen.si_addr == address ? "yes" : "no",
         (int)(error_code >> 1 & 1), (int)(error_code >> 4 & 1));
}

static void reads(const char *what, void *address) {
    if (sigsetjmp(back, 1) == 0) line("%s: no fault, %d", what, *(volatile char *)address);
    else show(what, address);
}

static void writes(const char *what, void *address) {
    if (sigsetjmp(back, 1) == 0) {
        *(volatile char *)address = 1;
        line("%s: no fault", what);
    } else {
        show(what, address);
    }
}

static void jumps(const char *what, void *address) {
    if (sigsetjmp(back, 1) == 0) {
        ((void (*)(void))address)();
        line("%s: no fault", what);
    } else {
        show(what, address);
    }
}

int main(void) {
    char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[4096] = (char)0xc3;
    must("mprotect", mprotect(page + 4096, 4096, PROT_READ));
    must("munmap", munmap(page + 2 * 4096, 4096));
    handle_info(SIGSEGV, fault, 0);
    reads("read of address 0", NULL);
    writes("write to address 8", (void *)8);
    jumps("jump to address 16", (void *)16);
    reads("read-only page, read", page + 4100);
    writes("read-only page, write", page + 4100);
    jumps("read-only page, jump", page + 4096);
    reads("unmapped page", page + 2 * 4096);
    reads("the byte before it", page + 2 * 4096 - 1);
    must("mprotect", mprotect(page, 4096, PROT_NONE));
    reads("PROT_NONE, read", page + 7);
    writes("PROT_NONE, write", page + 7);
    reads("a kernel address", KERNEL_ADDRESS);
    reads("a non-canonical address (si_addr is 0)", (void *)0x8000000000000000ul);
    fact("its si_addr is 0", seen.si_addr == NULL);
    must("mprotect", mprotect(page, 4096, PROT_WRITE));
    writes("PROT_WRITE, write", page);
    reads("PROT_WRITE allows reading", page);
    must("mprotect", mprotect(page + 4096, 4096, PROT_READ | PROT_EXEC));
    jumps("an executable page with a ret", page + 4096);
    writes("the last byte of a hole", page + 3 * 4096 - 1);
    if (sigsetjmp(back, 1) == 0) line("no fault: %d", (int)*(volatile uint64_t *)(page + 2 * 4096 - 4));
    else fact("a read across the edge faults at the hole", seen.si_addr == page + 2 * 4096 && fault_address != 0);
    return 0;
}
