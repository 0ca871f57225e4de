/*
 * summary: mappings and the stack lie where ThreadSanitizer wants them, and stay where they are under ADDR_NO_RANDOMIZE
 * calls: personality execve mmap
 */
#include "apus.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/personality.h>

/* From here to the end of the user's half, ThreadSanitizer's programs expect what is neither theirs nor the heap's. */
static const unsigned long lowest = 0x7e8000000000ul;

/* Where a program's parts were, in a shared file: addresses that are written or read would show in a trace. */
struct places {
    void *program, *stack, *mapping;
};

static struct places *shared_places(void) {
    int fd = must("open", open("places", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    must("ftruncate", ftruncate(fd, 4096));
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must("mmap", memory == MAP_FAILED ? -1 : 0);
    return memory;
}

int main(int count, char **arguments) {
    struct places *places = shared_places();
    if (count > 1) {
        places[arguments[1][0] - '0'] = (struct places){(void *)main, (void *)&count, places};
        return 0;
    }
    fact("a mapping lies high", (unsigned long)places >= lowest);
    fact("the stack lies high", (unsigned long)&count >= lowest);
    must("personality", personality(ADDR_NO_RANDOMIZE));
    for (int run = 0; run < 2; run++) {
        int status;
        pid_t child = must("fork", fork());
        if (child == 0) {
            execl("/proc/self/exe", arguments[0], run == 0 ? "0" : "1", NULL);
            _exit(1);
        }
        must("waitpid", waitpid(child, &status, 0));
        number("status", status);
    }
    fact("two runs lie at the same addresses",
         places[0].program != NULL && memcmp(places, places + 1, sizeof *places) == 0);
    result("unlink", unlink("places"));
    return 0;
}
