/*
 * summary: a call from memory that the program wrote keeps every register, flag, red zone and vector state, wherever it is made
 * calls: getsid getppid rt_sigprocmask newfstatat
 */
#include "apus.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>

/* Offsets of these are known to the code below. */
struct probe {
    uint64_t in[13], out[13];         /* 0, 104: rax rbx rdx rsi rdi r8 r9 r10 r12 r13 r14 rbp flags */
    uint64_t after_rcx, after_r11;    /* 208, 216 */
    uint64_t red_zone[16];            /* 224 */
    uint32_t mxcsr, mxcsr_after;      /* 352, 356 */
    uint64_t wide;                    /* 360 */
    double x87, x87_after;            /* 368, 376 */
    uint8_t vectors[16][32], vectors_after[16][32]; /* 384, 896 */
};

/* For every vector register: its number and its offset. */
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define LOAD(n) "movups 384+32*" #n "(%r15), %xmm" #n "\n"
#define LOAD_WIDE(n) "vmovups 384+32*" #n "(%r15), %ymm" #n "\n"
#define STORE(n) "movups %xmm" #n ", 896+32*" #n "(%r15)\n"
#define STORE_WIDE(n) "vmovups %ymm" #n ", 896+32*" #n "(%r15)\n"
#define WORD(n) "mov 224+8*" #n "(%r15), %rcx; mov %rcx, -8-8*" #n "(%rsp)\n"
#define WORD_BACK(n) "mov -8-8*" #n "(%rsp), %rcx; mov %rcx, 224+8*" #n "(%r15)\n"

extern const char probe_begin[], probe_site[], probe_end[];
__asm__(".pushsection .rodata\nprobe_begin:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; mov %rdi, %r15\n"
        "fninit; fldl 368(%r15); ldmxcsr 352(%r15)\n"
        "cmpq $0, 360(%r15); jne 1f\n" EACH(LOAD) "jmp 2f\n1:" EACH(LOAD_WIDE) "2:\n"
        "push 96(%r15); popf\n" EACH(WORD)
        "mov (%r15), %rax; mov 8(%r15), %rbx; mov 16(%r15), %rdx; mov 24(%r15), %rsi; mov 32(%r15), %rdi; mov 40(%r15), %r8\n"
        "mov 48(%r15), %r9; mov 56(%r15), %r10; mov 64(%r15), %r12; mov 72(%r15), %r13; mov 80(%r15), %r14; mov 88(%r15), %rbp\n"
        "syscall\nprobe_site:\n"
        "mov %rcx, 208(%r15); mov %r11, 216(%r15)\n"
        "mov %rax, 104(%r15); mov %rbx, 112(%r15); mov %rdx, 120(%r15); mov %rsi, 128(%r15); mov %rdi, 136(%r15); mov %r8, 144(%r15)\n"
        "mov %r9, 152(%r15); mov %r10, 160(%r15); mov %r12, 168(%r15); mov %r13, 176(%r15); mov %r14, 184(%r15); mov %rbp, 192(%r15)\n"
        EACH(WORD_BACK) "pushf; pop 200(%r15); cld; fstpl 376(%r15); stmxcsr 356(%r15)\n"
        "cmpq $0, 360(%r15); jne 1f\n" EACH(STORE) "jmp 2f\n1:" EACH(STORE_WIDE) "vzeroupper\n2:\n"
        "fninit; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\nprobe_end:\n.popsection\n");

static char *code;
static long wrong;

/* One call with a state made of `seed`; counts what was not kept. */
static void probe(uint64_t seed, long call, const uint64_t arguments[4], long expected) {
    struct probe *p = calloc(1, sizeof *p);
    if (!p) exit(99);
    uint64_t red[16];
    uint64_t pattern = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 12; i++) p->in[i] = pattern = pattern * 6364136223846793005u + 1442695040888963407u;
    for (int i = 0; i < 16; i++) red[i] = p->red_zone[i] = pattern = pattern * 6364136223846793005u + 1;
    for (size_t i = 0; i < sizeof p->vectors; i++) p->vectors[i / 32][i % 32] = (uint8_t)(pattern >> (i % 57)) ^ (uint8_t)i;
    p->wide = __builtin_cpu_supports("avx") != 0;
    p->in[0] = (uint64_t)call;
    p->in[4] = arguments[0], p->in[3] = arguments[1], p->in[2] = arguments[2], p->in[7] = arguments[3];
    /* Carry, parity, zero, sign, direction, overflow, as the seed has them. */
    p->in[12] = 0x202 | (seed * 0x45 & 0xc5) | (seed & 1) << 10 | (seed >> 1 & 1) << 11;
    p->mxcsr = 0x1f80 | (uint32_t)(seed & 3) << 13;
    p->x87 = 1.5 + (double)seed;
    ((void (*)(struct probe *))(uintptr_t)code)(p);
    int same = (long)p->out[0] == expected && p->after_rcx == (uint64_t)(code + (probe_site - probe_begin));
    for (int i = 1; i < 12; i++) same &= p->in[i] == p->out[i];
    same &= p->out[12] == p->in[12] && p->after_r11 == p->in[12];
    same &= memcmp(red, p->red_zone, sizeof red) == 0 && p->mxcsr == p->mxcsr_after && p->x87 == p->x87_after;
    for (int i = 0; i < 16; i++) same &= memcmp(p->vectors[i], p->vectors_after[i], p->wide ? 32 : 16) == 0;
    if (!same) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
    free(p);
}

/* Calls of each kind: asked, unknown, answered nearby perhaps, with a short and a long string and a result. */
static void all(uint64_t from, uint64_t count) {
    static const char names[2][80] = {"/", "/./././././././././././././././././././././././././././././././././."};
    struct stat status;
    long sid = getsid(0), parent = getppid();
    sigset_t mask;
    for (uint64_t seed = from; seed < from + count; seed++) {
        probe(seed, SYS_getsid, (uint64_t[4]){0, 1, 2, 3}, sid);
        probe(seed, 600, (uint64_t[4]){1, 2, 3, 4}, -ENOSYS);
        probe(seed, SYS_getppid, (uint64_t[4]){9, 8, 7, 6}, parent);
        probe(seed, SYS_rt_sigprocmask, (uint64_t[4]){SIG_BLOCK, 0, (uint64_t)(uintptr_t)&mask, 8}, 0);
        probe(seed, SYS_newfstatat,
              (uint64_t[4]){(uint64_t)-100, (uint64_t)(uintptr_t)names[seed & 1], (uint64_t)(uintptr_t)&status, 0}, 0);
        probe(seed, SYS_newfstatat, (uint64_t[4]){(uint64_t)-100, (uint64_t)(uintptr_t)names[seed & 1], 8, 0}, -EFAULT);
    }
}

static void told(const char *where) {
    fact(where, wrong == 0);
    wrong = 0;
}

static volatile long handled;

static void in_handler(int number) {
    all((uint64_t)number, 40);
    handled++;
}

static void spoils(int number) {
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm15; fninit; fldpi" :::
                     "xmm0", "xmm7", "xmm15", "memory");
    handled += number == SIGALRM;
}

static void *beside(void *argument) {
    all((uint64_t)(uintptr_t)argument, 300);
    return NULL;
}

int main(void) {
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) return 99;
    memcpy(code, probe_begin, (size_t)(probe_end - probe_begin));
    all(0, 100);
    told("in the program");
    handle(SIGUSR1, in_handler, 0);
    must("raise", raise(SIGUSR1));
    told("in a handler");
    static char place[65536];
    stack_t stack = {.ss_sp = place, .ss_size = sizeof place};
    must("sigaltstack", sigaltstack(&stack, NULL));
    handle(SIGUSR2, in_handler, SA_ONSTACK);
    must("raise", raise(SIGUSR2));
    told("on an alternate stack");
    pthread_t threads[2];
    for (uintptr_t i = 0; i < 2; i++) pthread_create(&threads[i], NULL, beside, (void *)(1000 * i));
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    told("in two threads at once");
    handled = 0;
    handle(SIGALRM, spoils, SA_RESTART);
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    must("setitimer", setitimer(ITIMER_REAL, &often, NULL));
    for (int tries = 0; tries < 20 || handled < 20; tries++) all((uint64_t)tries, 5);
    must("setitimer", setitimer(ITIMER_REAL, &never, NULL));
    told("among signals whose handler spoils it");
    return 0;
}
