/*
 * summary: call sites that are used often go on being calls where mremap takes their page, and where it leaves it
 * calls: mremap munmap getppid
 */
#include "apus.h"
#include <sys/mman.h>

#define OFTEN 200
#define DONTUNMAP 4

/* In a page of their own: one with a `mov` before it and no padding in reach, one with padding behind it; and one whose number
 * goes to another register by an instruction that ends like such a `mov`. */
__asm__(".section .text.moved_sites, \"ax\", @progbits\n"
        ".balign 4096\n"
        ".globl moved_page, moved_move, moved_padded, moved_other\n"
        "moved_page:\n"
        "  nop\n"
        "moved_move:\n"
        "  mov $110, %eax\n"
        "  syscall\n"
        "  ret\n"
        "  .fill 200, 1, 0x06\n"
        "moved_padded:\n"
        "  mov $110, %rax\n"
        "  syscall\n"
        "  ret\n"
        "  nopw %cs:0x0(%rax,%rax,1)\n"
        "  .fill 200, 1, 0x06\n"
        "moved_other:\n"
        "  mov $110, %eax\n"
        "  mov $110, %r8d\n"
        "  syscall\n"
        "  jmp 1f\n"
        "  .fill 140, 1, 0x06\n"
        "1: mov %r8, %rax\n"
        "  ret\n"
        ".balign 4096\n"
        ".previous\n");
extern char moved_page[], moved_move[], moved_padded[], moved_other[];

static long call(char *page, char *site) {
    long result;
    __asm__ volatile("xor %%r8d, %%r8d\n call *%1"
                     : "=a"(result)
                     : "r"(page + (site - moved_page))
                     : "rcx", "r8", "r11", "memory");
    return result;
}

static void often(const char *where, char *page) {
    long parent = getppid(), by_move = 0, padded = 0, other = 0;
    for (int i = 0; i < OFTEN; i++) {
        by_move += call(page, moved_move) == parent;
        padded += call(page, moved_padded) == parent;
        other += call(page, moved_other) == 110;
    }
    line("%s: %ld %ld %ld", where, by_move, padded, other);
}

int main(void) {
    often("at first", moved_page);
    char *room = mmap(NULL, 2 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *place = mremap(moved_page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED | DONTUNMAP, room);
    fact("moved", place == room);
    often("where it is", place);
    often("where it was", moved_page);
    char *last = mremap(place, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room + 4096);
    fact("moved again", last == room + 4096);
    often("at the second place", last);
    must("munmap", munmap(moved_page, 4096));
    often("with nothing at the first", last);
    return 0;
}
