/*
 * summary: a call site that is used often keeps every promise of its first call, in children, threads and handlers, too
 * calls: getppid read mprotect fork rt_sigaction
 */
#include "apus.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

/*
 * Sites of the program's own, in a page of text of their own. One has a `mov` before it and no padding in reach, one padding
 * behind it, one neither; hot_step is stepped through.
 */
__asm__(".section .text.hot_sites, \"ax\", @progbits\n"
        ".balign 4096\n"
        ".globl hot_move, hot_move_end, hot_padded, hot_padded_end, hot_bare, hot_bare_end, hot_page\n"
        "hot_page:\n"
        "  nop\n"
        "hot_move:\n"
        "  mov $110, %eax\n"
        "  syscall\n"
        "hot_move_end:\n"
        "  ret\n"
        "  .fill 200, 1, 0x06\n"
        "hot_padded:\n"
        "  mov %rdi, %rax\n"
        "  mov %rsi, %rdi\n"
        "  mov %rdx, %rsi\n"
        "  mov %rcx, %rdx\n"
        "  syscall\n"
        "hot_padded_end:\n"
        "  ret\n"
        "  nopw %cs:0x0(%rax,%rax,1)\n"
        "  .fill 200, 1, 0x06\n"
        "hot_bare:\n"
        "  mov %rdi, %rax\n"
        "  syscall\n"
        "hot_bare_end:\n"
        "  jmp 1f\n"
        "  .fill 140, 1, 0x06\n"
        "1: ret\n"
        ".balign 4096\n"
        ".previous\n");
extern char hot_page[], hot_move[], hot_move_end[], hot_padded_end[], hot_bare_end[];
long hot_padded(long number, long a, long b, long c);
long hot_bare(long number);

#define OFTEN 200

static long call_move(void) {
    long result;
    __asm__ volatile("call hot_move" : "=a"(result)::"rcx", "r11", "memory");
    return result;
}

/* At the `syscall` itself, by another number than the `mov` before it has. */
static long call_into_move(long number) {
    long result;
    __asm__ volatile("call *%2" : "=a"(result) : "a"(number), "r"(hot_move_end - 2) : "rcx", "r11", "memory");
    return result;
}

struct state {
    uint64_t general[14];
    uint64_t flags;
    uint8_t vectors[16][16];
};

/* One call with a known value in every register that it must keep: call_with(in, out, site, number). */
void call_with(struct state *in, struct state *out, void *site, long number);
__asm__(".text\n"
        ".globl call_with\n"
        "call_with:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  push %rsi\n  push %rdx\n  push %rcx\n"
        "  mov %rdi, %rbx\n"
        "  movdqu 120(%rbx), %xmm0\n  movdqu 136(%rbx), %xmm1\n  movdqu 152(%rbx), %xmm2\n  movdqu 168(%rbx), %xmm3\n"
        "  movdqu 184(%rbx), %xmm4\n  movdqu 200(%rbx), %xmm5\n  movdqu 216(%rbx), %xmm6\n  movdqu 232(%rbx), %xmm7\n"
        "  movdqu 248(%rbx), %xmm8\n  movdqu 264(%rbx), %xmm9\n  movdqu 280(%rbx), %xmm10\n  movdqu 296(%rbx), %xmm11\n"
        "  movdqu 312(%rbx), %xmm12\n  movdqu 328(%rbx), %xmm13\n  movdqu 344(%rbx), %xmm14\n  movdqu 360(%rbx), %xmm15\n"
        "  mov 8(%rbx), %rsi\n  mov 16(%rbx), %rdi\n  mov 24(%rbx), %rdx\n  mov 32(%rbx), %r8\n"
        "  mov 40(%rbx), %r9\n  mov 48(%rbx), %r10\n  mov 64(%rbx), %r12\n  mov 72(%rbx), %r13\n"
        "  mov 80(%rbx), %r14\n  mov 88(%rbx), %r15\n"
        "  push 112(%rbx)\n"
        "  popfq\n"
        "  mov (%rsp), %rax\n"
        "  mov 0(%rbx), %rbp\n"
        "  call *8(%rsp)\n"
        "  pushfq\n"
        "  pop %rax\n"
        "  cld\n"
        "  mov 16(%rsp), %rcx\n"
        "  mov %rbp, 0(%rcx)\n  mov %rsi, 8(%rcx)\n  mov %rdi, 16(%rcx)\n  mov %rdx, 24(%rcx)\n"
        "  mov %r8, 32(%rcx)\n  mov %r9, 40(%rcx)\n  mov %r10, 48(%rcx)\n  mov %r12, 64(%rcx)\n"
        "  mov %r13, 72(%rcx)\n  mov %r14, 80(%rcx)\n  mov %r15, 88(%rcx)\n"
        "  movdqu %xmm0, 120(%rcx)\n  movdqu %xmm1, 136(%rcx)\n  movdqu %xmm2, 152(%rcx)\n  movdqu %xmm3, 168(%rcx)\n"
        "  movdqu %xmm4, 184(%rcx)\n  movdqu %xmm5, 200(%rcx)\n  movdqu %xmm6, 216(%rcx)\n  movdqu %xmm7, 232(%rcx)\n"
        "  movdqu %xmm8, 248(%rcx)\n  movdqu %xmm9, 264(%rcx)\n  movdqu %xmm10, 280(%rcx)\n  movdqu %xmm11, 296(%rcx)\n"
        "  movdqu %xmm12, 312(%rcx)\n  movdqu %xmm13, 328(%rcx)\n  movdqu %xmm14, 344(%rcx)\n  movdqu %xmm15, 360(%rcx)\n"
        "  mov %rax, 112(%rcx)\n"
        "  add $24, %rsp\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n");

static int keeps_everything(void *site, long number) {
    struct state in, out;
    int kept = 0;
    for (int round = 0; round < OFTEN; round++) {
        for (size_t i = 0; i < sizeof in; i++) ((uint8_t *)&in)[i] = (uint8_t)(i * 7 + round);
        /* Carry, parity, auxiliary, zero, sign, direction and overflow in all mixtures, and what is always set. */
        in.flags = 0x202 | (round * 37u & 0xcd5u);
        memset(&out, 0, sizeof out);
        call_with(&in, &out, site, number);
        int same = !memcmp(in.vectors, out.vectors, sizeof in.vectors) && in.flags == out.flags;
        for (int i = 0; i < 12; i++)
            if (i != 7) same = same && in.general[i] == out.general[i];
        kept += same;
    }
    return kept;
}

static volatile int handled, at_end;
static char *volatile expected;

static void on_signal(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    (void)info;
    handled += number != 0;
    at_end += (char *)user->uc_mcontext.gregs[REG_RIP] == expected;
}

static volatile long steps;
static void on_step(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    (void)number;
    (void)info;
    char *place = (char *)user->uc_mcontext.gregs[REG_RIP];
    steps++;
    /* The mode ends with the first step out of the page. */
    if (place < hot_page || place >= hot_page + 4096) user->uc_mcontext.gregs[REG_EFL] &= ~0x100l;
}

static void *in_thread(void *argument) {
    long parent = (long)argument, same = 0;
    for (int i = 0; i < OFTEN; i++) same += call_move() == parent && hot_padded(SYS_getppid, 0, 0, 0) == parent;
    return (void *)same;
}

int main(void) {
    long parent = getppid(), process = getpid(), same = 0;
    for (int i = 0; i < OFTEN; i++) same += call_move() == parent;
    number("the same parent, by mov and syscall", same);
    for (int i = same = 0; i < OFTEN; i++) same += call_into_move(SYS_getpid) == process;
    number("another number, jumped at the call itself", same);
    for (int i = same = 0; i < OFTEN; i++) same += hot_padded(SYS_getppid, 0, 0, 0) == parent;
    number("the same parent, before padding", same);
    for (int i = same = 0; i < OFTEN; i++)
        same += hot_padded(i % 2 ? SYS_getpid : SYS_getppid, 0, 0, 0) == (i % 2 ? process : parent);
    number("two calls in turn", same);
    for (int i = same = 0; i < OFTEN; i++) same += hot_bare(SYS_getppid) == parent;
    number("the same parent, with neither", same);
    for (int i = same = 0; i < OFTEN; i++) same += hot_padded(1 << 20, 0, 0, 0) == -ENOSYS;
    number("a call that no kernel has", same);
    for (int i = same = 0; i < OFTEN; i++) same += hot_padded(SYS_read, -1, 0, 0) == -EBADF;
    number("reads of a bad descriptor", same);
    for (int i = same = 0; i < OFTEN; i++) same += hot_padded(SYS_write, 1, (long)WILD, 1) == -EFAULT;
    number("writes of nothing", same);
    number("everything kept, by mov and syscall", keeps_everything(hot_move, 0));
    number("everything kept, at the call itself", keeps_everything(hot_move_end - 2, SYS_getppid));

    handle_info(SIGUSR1, on_signal, 0);
    expected = hot_padded_end;
    for (int i = 0; i < OFTEN; i++) hot_padded(SYS_kill, process, SIGUSR1, 0);
    line("handlers: %d, interrupted where the call ends: %d", handled, at_end);

    handle_info(SIGTRAP, on_step, 0);
    __asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n call hot_padded\n"
                     :
                     : "D"(SYS_getppid), "S"(0), "d"(0), "c"(0)
                     : "rax", "r11", "memory", "cc");
    number("steps", steps);
    for (int i = same = 0; i < OFTEN; i++) same += hot_padded(SYS_getppid, 0, 0, 0) == parent;
    number("and again often", same);

    pid_t child = must("fork", fork());
    if (child == 0) {
        for (int i = same = 0; i < OFTEN; i++)
            same += call_move() == process && hot_padded(SYS_getppid, 0, 0, 0) == process && getpid() != process;
        number("in a child", same);
        exit(0);
    }
    must("waitpid", waitpid(child, NULL, 0));
    pthread_t thread;
    void *result;
    must("pthread_create", pthread_create(&thread, NULL, in_thread, (void *)parent));
    for (int i = same = 0; i < OFTEN; i++) same += call_move() == parent;
    must("pthread_join", pthread_join(thread, &result));
    line("in two threads: %ld %ld", same, (long)result);

    must("mprotect", mprotect(hot_page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
    fact("the calls are there to be seen", hot_padded_end[-2] == 0x0f && hot_padded_end[-1] == 0x05);
    fact("and the mov", hot_move[0] == (char)0xb8 && hot_move_end[-2] == 0x0f && hot_move_end[-1] == 0x05);
    hot_move[1] = SYS_getpid;
    for (int i = same = 0; i < OFTEN; i++) same += call_move() == process;
    number("another call after a change of the text", same);
    must("mprotect", mprotect(hot_page, 4096, PROT_READ | PROT_EXEC));
    for (int i = same = 0; i < OFTEN; i++) same += call_move() == process;
    number("also when the text is read only again", same);
    must("madvise", madvise(hot_page, 4096, MADV_DONTNEED));
    for (int i = same = 0; i < OFTEN; i++) same += call_move() == parent;
    number("the first call again without the change", same);
    return 0;
}
