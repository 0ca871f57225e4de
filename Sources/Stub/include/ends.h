// What the kernel and the stub share of a process with threads: where these end, and which memory is private.
#pragma once
#include "stub.h"

/// In the contexts, behind the mappings.
#define APUS_ENDS_OFFSET 0x3f60000UL
#define APUS_STUB_ENDS (APUS_STUB_CONTEXTS + APUS_ENDS_OFFSET)

/// In a call's `action`, of exit(2): nobody waits for the answer, so that the kernel need not be woken.
#define APUS_REQUEST_QUIET 0x1000

/// So many stretches of private memory are told.
#define APUS_PRIVATE_RANGES 8
/// Threads in slots beyond end by way of the kernel.
#define APUS_END_WORDS 64

/// All of it is private memory without a file, and not locked.
struct apus_private_range {
    uint64_t start;
    /// 0 for a place that is free.
    uint64_t end;
};

struct apus_ends {
    /// By the kernel: threads of which `words` has one may end without waking it. The address space is one process's, whose first thread
    /// lives, so that none of them is the last.
    uint32_t may_end;
    /// By the stubs: how many have ended so, ever.
    uint32_t ended;
    /// By the stubs: how many threads wait by themselves for one of the words.
    uint32_t waits;
    uint32_t padding[13];
    struct apus_private_range ranges[APUS_PRIVATE_RANGES];
    /// By slot: the word in private memory that becomes 0 when the thread ends, for whoever joins it; 0 for none.
    uint64_t words[APUS_END_WORDS];
};
