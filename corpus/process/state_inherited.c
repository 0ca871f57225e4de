/*
 * summary: a child goes on with its creator's vector registers and rounding, also where many have been made before
 * calls: clone exit wait4 vfork
 */
#include "apus.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { rounds = 40 };

struct state {
    unsigned long low, high;
    unsigned control;
    unsigned short x87;
};

static volatile int tid_word;
static struct state *shared;

/* Where the compiler keeps nothing in between. */
#define LOAD(from) \
    __asm__ volatile("movdqu %0, %%xmm9\n\tldmxcsr %1\n\tfldcw %2" ::"m"((from)->low), "m"((from)->control), "m"((from)->x87) : "xmm9", "memory")
#define STORE(to) \
    __asm__ volatile("movdqu %%xmm9, %0\n\tstmxcsr %1\n\tfnstcw %2" : "=m"((to)->low), "=m"((to)->control), "=m"((to)->x87)::"memory")

/* clone(2) or vfork(2) between a load and the stores on both sides: 0 in the child. */
__attribute__((noinline)) static long call(long which, long flags, const struct state *given, struct state *parents) {
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    long result = which;
    LOAD(given);
    __asm__ volatile("syscall" : "+a"(result) : "D"(flags), "S"(0L), "d"(0L), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    if (result == 0) {
        STORE(shared);
        /* Not what the parent must find. */
        static const struct state other = {1, 2, 0x1f80, 0x37f};
        LOAD(&other);
        __asm__ volatile("syscall" ::"a"(60L), "D"(7L) : "rcx", "r11", "memory");
    }
    STORE(parents);
    return result;
}

/* A thread by itself, whose first step is the store. */
__asm__(".text\nthread_start:\n\t"
        "pop %rdi\n\tmovdqu %xmm9, (%rdi)\n\tstmxcsr 16(%rdi)\n\tfnstcw 20(%rdi)\n\t"
        "pxor %xmm9, %xmm9\n\tmov $60, %eax\n\txor %edi, %edi\n\tsyscall\n\thlt");

__attribute__((noinline)) static long thread(long flags, unsigned long *stack, const struct state *given, struct state *parents) {
    register long r10 __asm__("r10") = (long)&tid_word;
    register long r8 __asm__("r8") = 0;
    long result = 56;
    LOAD(given);
    __asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjz thread_start"
                     : "+a"(result) : "D"(flags), "S"(stack), "d"(0L), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    STORE(parents);
    return result;
}

static int same(const struct state *a, const struct state *b) {
    return a->low == b->low && a->high == b->high && (a->control & 0xffc0) == (b->control & 0xffc0) && a->x87 == b->x87;
}

int main(void) {
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned long *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack += 8190;
    *stack = (unsigned long)shared;
    static const char *const names[] = {"fork", "vfork", "thread"};
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID |
                      CLONE_CHILD_SETTID;
    for (int kind = 0; kind < 3; kind++) {
        int childs = 0, parents = 0, ended = 0;
        for (int i = 0; i < rounds; i++) {
            struct state given = {0x1111111111111111ul * (i % 15 + 1), ~(unsigned long)i, i % 2 ? 0x5f80 : 0x1f80, i % 3 ? 0x37f : 0x27f};
            struct state after = {0};
            memset(shared, 0, sizeof *shared);
            tid_word = -1;
            int status = 0;
            long made = kind == 0 ? call(56, SIGCHLD, &given, &after) : kind == 1 ? call(58, 0, &given, &after)
                                                                                  : thread(flags, stack, &given, &after);
            if (kind < 2) ended += waitpid((int)made, &status, 0) == made && WEXITSTATUS(status) == 7;
            else {
                for (int value; (value = tid_word) != 0;) syscall(SYS_futex, &tid_word, 0, value, NULL, NULL, 0);
                ended += made > 0;
            }
            childs += same(&given, shared);
            parents += same(&given, &after);
        }
        line("%s: %d children ended, %d began with the state, %d creators kept it", names[kind], ended, childs, parents);
    }
    return 0;
}
