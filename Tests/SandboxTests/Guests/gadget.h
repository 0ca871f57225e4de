// Host calls of a guest's own, by way of the stub: a jump to the `syscall` of the stub's clone, with registers that bring
// the guest back whatever the host says. What the filter traps arrives at the kernel as a call of the guest's.
#pragma once
#include "adversary.h"

// The layout of the stub's area: see Sources/Stub/include/stub.h.
#define STUB 0x7ef000000000ull
#define CODE_SIZE 0x10000ull
#define CONFIG (STUB + 0x10000)
#define CONFIG_SIZE 0x4000ull
#define DOORBELL (STUB + 0x20000)
#define CONTEXTS (STUB + 0x100000)
#define HOT (CONTEXTS + 0x400)
#define CONTEXTS_SIZE 0x4000000ull

__asm__(
    ".text\n"
    "guest_jump:\n"
    "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
    "  mov %rsp, %rbx\n"
    "  mov %rdi, %r14\n  mov %rsi, %rax\n  mov %rdx, %r11\n"
    // A result of 0 goes the child's way: call *%r13. Any other is taken for a parent's: pop %r13, pop %r12, ret.
    "  lea 1f(%rip), %r13\n  push %r13\n  push %r12\n  push %r13\n"
    "  mov (%r11), %rdi\n  mov 8(%r11), %rsi\n  mov 16(%r11), %rdx\n  mov 24(%r11), %r10\n"
    "  mov 32(%r11), %r8\n  mov 40(%r11), %r9\n"
    "  jmp *%r14\n"
    "1:\n"
    "  mov %rbx, %rsp\n"
    "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
    "  ret\n");
extern long guest_jump(uint64_t site, uint64_t number, const uint64_t *arguments);

static inline const volatile unsigned char *stub_code(void) { return (const volatile unsigned char *)STUB; }

/// The `syscall` behind `mov $56, %eax`: the one that makes threads comes first.
static inline uint64_t clone_site(void) {
    static const unsigned char wanted[] = {0xb8, 56, 0, 0, 0, 0x0f, 0x05};
    for (uint64_t offset = 0; offset < 0x4000; offset++) {
        size_t same = 0;
        while (same < sizeof wanted && stub_code()[offset + same] == wanted[same]) same++;
        if (same == sizeof wanted) return STUB + offset + 5;
    }
    fprintf(stderr, "the stub has no clone\n");
    exit(9);
}

/// One host call by way of the stub; its result, or that of the guest's own call where the filter traps it.
static inline long stub_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
    const uint64_t arguments[] = {a, b, c, d, e, f};
    return guest_jump(clone_site(), number, arguments);
}
