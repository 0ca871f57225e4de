// What the kernel and the stub share of the writes that a process has posted: `writes.c`.
#pragma once
#include "stub.h"

/// Not among the answers: pwrite64(2) of files that the kernel has told of.
#define APUS_LOCAL_PWRITE 32

/// In the contexts, behind the names.
#define APUS_WRITES_OFFSET 0x3fa0000UL
#define APUS_STUB_WRITES (APUS_STUB_CONTEXTS + APUS_WRITES_OFFSET)

/// So many writes of a thread wait for the kernel at most, of so many bytes each, and of so many together.
#define APUS_POSTED_WRITES 32
#define APUS_POSTED_WRITE_MOST 0x4000UL
#define APUS_POSTED_BYTES 0x20000UL
/// Where their bytes stand.
#define APUS_POSTED_BYTES_OFFSET (APUS_WRITES_OFFSET + APUS_PAGE)
#define APUS_STUB_POSTED_BYTES (APUS_STUB_CONTEXTS + APUS_POSTED_BYTES_OFFSET)

struct apus_posted_write {
    uint64_t offset;
    /// When, by the processor's clock.
    uint64_t ticks;
    uint32_t number;
    uint32_t count;
    /// Where its bytes begin among all that were posted.
    uint32_t place;
    uint32_t padding;
};

/// What the one thread of a process has written by itself, since the kernel looked last.
struct apus_writes {
    /// In the high half the permission, by its number, or 0; in the low one how many were posted, ever. Each stands at its number
    /// modulo APUS_POSTED_WRITES. A stub posts by one exchange of the word, and the kernel takes the permission back by another: so
    /// of the two one sees what the other has done.
    uint64_t word;
    uint64_t padding[7];
    struct apus_posted_write posted[APUS_POSTED_WRITES];
    /// By descriptor, up to which offset may be written; 0 for none. By the kernel, while the thread asks.
    uint64_t limits[APUS_LOCAL_FILES];
};
