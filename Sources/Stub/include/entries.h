// What the kernel says of a directory that was just opened: all of its entries, as getdents64(2) would give them: `cards.c`.
#pragma once
#include "stub.h"

/// In the contexts, behind what is said of the address space.
#define APUS_ENTRIES_OFFSET 0x3f50000UL
#define APUS_STUB_ENTRIES (APUS_STUB_CONTEXTS + APUS_ENTRIES_OFFSET)
#define APUS_ENTRIES_SIZE 8192U
/// Where they begin in what follows.
#define APUS_ENTRIES_BYTES 64

/// In `number`, by the stub: the entries were read. The kernel moves the file's position when it takes the number back.
#define APUS_ENTRIES_TAKEN (1U << 31)

struct apus_entries {
    /// One more than the descriptor's number; 0 where nothing holds. The kernel takes it away before it does anything for anybody.
    uint32_t number;
    /// Of the entries.
    uint32_t size;
    /// They hold up to these ticks of the processor's clock.
    uint64_t until;
    uint64_t padding[6];
    uint8_t bytes[APUS_ENTRIES_SIZE];
};
