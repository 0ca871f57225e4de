/*
 * summary: code written into memory runs after mprotect, through double mappings, and changes when rewritten
 * calls: mmap mprotect memfd_create
 */
#include "apus.h"
#include <stdint.h>
#include <sys/mman.h>

/* mov eax, imm32; ret */
static void write_code(uint8_t *code, uint32_t value) {
    code[0] = 0xb8;
    memcpy(code + 1, &value, 4);
    code[5] = 0xc3;
}

static int call(void *code) { return ((int (*)(void))code)(); }

int main(void) {
    int write_and_read = PROT_READ | PROT_WRITE, execute = PROT_READ | PROT_EXEC;
    uint8_t *page = mmap(NULL, 4096, write_and_read, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    write_code(page, 1001);
    must("mprotect", mprotect(page, 4096, execute));
    number("written, then made executable", call(page));
    must("mprotect", mprotect(page, 4096, write_and_read));
    write_code(page, 1002);
    must("mprotect", mprotect(page, 4096, execute));
    number("rewritten", call(page));

    uint8_t *all = mmap(NULL, 4096, write_and_read | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int sum = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        write_code(all, i);
        sum += call(all);
    }
    number("rewritten 1,000 times in place, sum", sum);

    int fd = must("memfd_create", syscall(SYS_memfd_create, "code", 0));
    must("ftruncate", ftruncate(fd, 4096));
    uint8_t *writer = mmap(NULL, 4096, write_and_read, MAP_SHARED, fd, 0);
    uint8_t *runner = mmap(NULL, 4096, execute, MAP_SHARED, fd, 0);
    for (uint32_t i = 0; i < 3; i++) {
        write_code(writer, 2000 + i);
        number("through a second mapping", call(runner));
    }

    /* mov eax, 39 (getpid); syscall; ret */
    static const uint8_t getpid_code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    memcpy(all, getpid_code, sizeof getpid_code);
    int good = 0;
    for (int i = 0; i < 2000; i++) good += call(all) == getpid();
    number("a system call in generated code, good ones of 2,000", good);
    /* The same place with another call: mov eax, 102 (getuid). */
    all[1] = 102;
    number("after a change of the number", call(all) == (int)getuid());
    /* A system call whose bytes straddle two pages. */
    uint8_t *two = mmap(NULL, 8192, write_and_read | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(two + 4096 - 6, getpid_code, sizeof getpid_code);
    good = 0;
    for (int i = 0; i < 2000; i++) good += call(two + 4096 - 6) == getpid();
    number("across the edge of a page", good);
    /* A jump into the middle: the loop enters right before the syscall instruction as well. */
    memcpy(all, (uint8_t[]){0xb8, 39, 0, 0, 0, 0xeb, 0x00, 0x0f, 0x05, 0xc3}, 10);
    good = 0;
    for (int i = 0; i < 2000; i++) good += call(all) == getpid();
    number("behind a jump", good);
    return 0;
}
