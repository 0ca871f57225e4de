// pwrite64(2) of files in memory, which the stub posts: the kernel writes the bytes before it looks at anything else, whoever asks.
//
// Only where the kernel knows that the write succeeds, and that nobody can see the file without asking it: nobody has it mapped, and
// no stub was told of its pages or attributes. Whatever is out of the ordinary is the kernel's.
#include "internal.h"
#include "writes.h"

#define TABLE ((volatile struct apus_writes *)APUS_STUB_WRITES)

_Static_assert(sizeof(struct apus_writes) <= APUS_PAGE, "the bytes begin with the next page");
_Static_assert(APUS_POSTED_BYTES_OFFSET + APUS_POSTED_BYTES <= APUS_CONTEXTS_SIZE, "within the contexts");

int apus_stub_write_call(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t word = __atomic_load_n(&TABLE->word, __ATOMIC_ACQUIRE);
    // Descriptors are of 32 bits.
    uint32_t number = (uint32_t)arguments[0];
    uint64_t buffer = arguments[1], count = arguments[2], offset = arguments[3];
    // A count that is about to begin anew is the kernel's.
    if (word >> 32 == 0 || (uint32_t)word == ~0u || number >= APUS_LOCAL_FILES) return 0;
    if (count == 0 || count > APUS_POSTED_WRITE_MOST || buffer > APUS_STUB_BASE - count) return 0;
    uint64_t limit = TABLE->limits[number];
    if (offset > limit || count > limit - offset) return 0;
    uint32_t place = cold->posted_bytes;
    if (cold->posted_writes >= APUS_POSTED_WRITES || place > APUS_POSTED_BYTES - count) return 0;
    if (apus_stub_copy((char *)APUS_STUB_POSTED_BYTES + place, (const void *)buffer, count) != 0) return 0;
    volatile struct apus_posted_write *entry = &TABLE->posted[(uint32_t)word % APUS_POSTED_WRITES];
    entry->offset = offset;
    entry->ticks = apus_ticks();
    entry->number = number;
    entry->count = (uint32_t)count;
    entry->place = place;
    // Not if the kernel has taken the permission back meanwhile: then nothing has happened.
    if (!__atomic_compare_exchange_n(&TABLE->word, &word, word + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return 0;
    cold->posted_writes++;
    // Each begins with a line.
    cold->posted_bytes = place + (((uint32_t)count + 63) & ~63u);
    cold->local_writes++;
    cold->local_written_bytes += count;
    *result = count;
    return 1;
}
