/*
 * summary: touching a file mapping beyond the file's last page is SIGBUS with BUS_ADRERR, before it plain zeroes
 * calls: mmap ftruncate rt_sigaction
 */
#include "apus.h"
#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;
static siginfo_t seen;

static void fault(int number, siginfo_t *info, void *context) {
    seen = *info;
    siglongjmp(back, context ? number : 1);
}

static void touch(const char *what, volatile char *address, int write_it) {
    int number = sigsetjmp(back, 1);
    if (number == 0) {
        if (write_it) *address = 'w';
        line("%s: %d", what, *address);
        return;
    }
    const char *code = number == SIGBUS && seen.si_code == BUS_ADRERR     ? "BUS_ADRERR"
                       : number == SIGSEGV && seen.si_code == SEGV_ACCERR ? "SEGV_ACCERR"
                                                                          : "?";
    int right = seen.si_addr == (void *)address;
    line("%s: %s, %s, si_addr right %s", what, signal_name(number), code, right ? "yes" : "no");
}

int main(void) {
    handle_info(SIGBUS, fault, 0);
    handle_info(SIGSEGV, fault, 0);
    int fd = must("open", open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    must("ftruncate", ftruncate(fd, 5000));
    must("pwrite", pwrite(fd, "A", 1, 4999));
    char *shared = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char *readable = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

    touch("shared, the last byte of the file", shared + 4999, 0);
    touch("shared, beyond the end in the last page", shared + 5000, 0);
    touch("shared, written there", shared + 5001, 1);
    touch("shared, the next page", shared + 8192, 0);
    touch("shared, the next page written", shared + 8193, 1);
    touch("private, beyond the end in the last page", private + 8191, 1);
    touch("private, the next page", private + 2 * 4096 + 17, 0);
    touch("private, the next page written", private + 3 * 4096 + 17, 1);
    touch("read-only, written", readable + 1, 1);

    must("ftruncate", ftruncate(fd, 3 * 4096));
    touch("after the file has grown", shared + 8192, 0);
    touch("private likewise", private + 8192, 1);
    must("ftruncate", ftruncate(fd, 100));
    touch("after it has shrunk", shared + 4096, 0);
    touch("a private copy is lost with it", private + 8192, 0);
    touch("the last byte", shared + 99, 1);
    char byte = 0;
    must("pread", pread(fd, &byte, 1, 99));
    number("which the file has", byte);
    must("ftruncate", ftruncate(fd, 0));
    touch("an empty file", shared, 0);
    result("read into a page beyond the end", pread(must("open", open("/dev/zero", O_RDONLY)), shared + 4096, 1, 0));
    return 0;
}
