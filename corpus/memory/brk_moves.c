/*
 * summary: the break moves by bytes, memory appears zeroed and disappears, limits and neighbours stop it
 * calls: brk prlimit64 mmap
 */
#include "apus.h"
#include <stdint.h>
#include <sys/mman.h>

static uintptr_t raw_brk(uintptr_t wanted) { return syscall(SYS_brk, wanted); }

static int mapped(uintptr_t address) {
    unsigned char state;
    return mincore((void *)(address & ~0xffful), 4096, &state) == 0;
}

int main(void) {
    uintptr_t start = raw_brk(0);
    uintptr_t page = (start + 4095) & ~0xffful;
    fact("brk(0) tells the break", start != 0 && raw_brk(0) == start);
    fact("an address below the heap changes nothing", raw_brk(4096) == start);
    fact("it grows by an odd number of bytes", raw_brk(page + 10001) == page + 10001);
    char *heap = (char *)page;
    number("the new memory is zero", heap[0] | heap[10000] | heap[12287]);
    fact("the rest of the page is there, the next is not", mapped(page + 12287) && !mapped(page + 12288));
    memset(heap, 'x', 12288);
    fact("it shrinks", raw_brk(page + 4097) == page + 4097);
    fact("pages above are gone", mapped(page + 4097) && !mapped(page + 8192));
    fact("it grows again", raw_brk(page + 12288) == page + 12288);
    line("kept %c, the byte in the kept page %c, fresh %d", heap[4096], heap[8191], heap[8192]);

    pid_t child = must("fork", fork());
    if (child == 0) {
        int same = raw_brk(0) == page + 12288;
        heap[0] = 'c';
        int moved = raw_brk(page + 40960) == page + 40960;
        _exit(same && moved ? 0 : 1);
    }
    wait_status("a child moves its own", wait_for(child));
    fact("the parent's stayed", raw_brk(0) == page + 12288 && heap[0] == 'x');

    void *wall = mmap((void *)(page + 65536), 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fact("a mapping in the way", wall == (void *)(page + 65536) && raw_brk(page + 131072) == page + 12288);
    fact("below it there is room", raw_brk(page + 16384) == page + 16384);
    must("munmap", munmap(wall, 4096));

    struct rlimit limit, old;
    must("getrlimit", getrlimit(RLIMIT_DATA, &old));
    limit = old;
    limit.rlim_cur = 4096;
    must("setrlimit", setrlimit(RLIMIT_DATA, &limit));
    fact("RLIMIT_DATA stops it", raw_brk(page + 1048576) == page + 16384);
    fact("even to shrink it to a size that is still too large", raw_brk(page + 16000) == page + 16384);
    must("setrlimit", setrlimit(RLIMIT_DATA, &old));
    fact("far too large", raw_brk(1ul << 62) == page + 16384);
    fact("back to the start", raw_brk(start) == start);
    return 0;
}
