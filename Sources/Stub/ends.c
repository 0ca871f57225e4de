// How a thread ends that somebody joins: its stub clears the word that the other one waits for and wakes him, and the kernel hears of
// it as soon as it looks at anything. And advice on private memory, of which the kernel keeps nothing: a thread's stack goes so.
#include "ends.h"
#include "internal.h"

#include <sys/mman.h>

#define TABLE ((volatile struct apus_ends *)APUS_STUB_ENDS)

static int is_private(uint64_t start, uint64_t end) {
    for (uint32_t i = 0; i < APUS_PRIVATE_RANGES; i++) {
        // Another thread's call may have it changed: the end is taken back first and given last.
        uint64_t last = __atomic_load_n(&TABLE->ranges[i].end, __ATOMIC_ACQUIRE);
        uint64_t first = __atomic_load_n(&TABLE->ranges[i].start, __ATOMIC_ACQUIRE);
        if (start >= first && end <= last && __atomic_load_n(&TABLE->ranges[i].end, __ATOMIC_ACQUIRE) == last) return 1;
    }
    return 0;
}

int apus_stub_advise(const uint64_t *arguments, uint64_t *result) {
    uint64_t start = arguments[0], length = arguments[1];
    uint32_t advice = (uint32_t)arguments[2];
    if (advice != MADV_DONTNEED && advice != MADV_FREE) return 0;
    if (start % APUS_PAGE || start >= APUS_STUB_BASE || length == 0 || length > APUS_STUB_BASE) return 0;
    length = (length + APUS_PAGE - 1) & ~(APUS_PAGE - 1);
    if (!is_private(start, start + length)) return 0;
    if (host_call(SYS_madvise, (long)start, (long)length, (long)advice, 0, 0, 0) != 0) return 0;
    *result = 0;
    return 1;
}

int apus_stub_may_wait_for_end(uint64_t address) {
    if (!TABLE->may_end) return 0;
    for (uint32_t i = 0; i < APUS_END_WORDS; i++)
        if (TABLE->words[i] == address) return 1;
    return 0;
}

uint32_t *apus_stub_end_waits(void) { return (uint32_t *)&((struct apus_ends *)APUS_STUB_ENDS)->waits; }

/// What is left of a list of locks would have to be marked first.
static int has_locks(const struct apus_cold *cold) {
    uint64_t head[3];
    if (!cold->robust_list) return 0;
    if (cold->robust_list > APUS_STUB_BASE - sizeof head) return 1;
    if (apus_stub_copy(head, (const void *)cold->robust_list, sizeof head) != 0) return 1;
    return head[0] != cold->robust_list || head[2];
}

void apus_stub_wake_joiner(uint64_t word) { host_call(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0); }

int apus_stub_is_heard(const struct apus_cold *cold) {
    return !__atomic_load_n(&TABLE->may_end, __ATOMIC_SEQ_CST) || __atomic_load_n((uint32_t *)APUS_STUB_KERNEL_WAITS, __ATOMIC_SEQ_CST) ||
           *(volatile const uint32_t *)&cold->interrupt_pending;
}

uint16_t apus_stub_end(struct apus_cold *cold, struct apus_hot *asked) {
    uint64_t slot = ((uint64_t)cold - APUS_STUB_CONTEXTS) / APUS_BLOCK_SIZE - 1, word;
    if (slot >= APUS_END_WORDS || CONFIG->traced || !(word = TABLE->words[slot]) || word > APUS_STUB_BASE - 4) return 0;
    uint32_t zero = 0;
    if (has_locks(cold) || apus_stub_copy((void *)word, &zero, sizeof zero) != 0) return 0;
    TABLE->words[slot] = 0;
    asked->arguments[4] = word;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (cold->mask_is_here && !cold->is_counted && !apus_stub_is_heard(cold) && is_private(word, word + 4))
        return APUS_REQUEST_BEGUN | APUS_REQUEST_QUIET;
    apus_stub_wake_joiner(word);
    return APUS_REQUEST_BEGUN;
}

void apus_stub_count_end(void) {
    __atomic_add_fetch(&((struct apus_ends *)APUS_STUB_ENDS)->ended, 1, __ATOMIC_SEQ_CST);
}
