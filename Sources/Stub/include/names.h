// What the kernel says of names: what stat(2) and its relatives would give, and where that stands: `names.c`.
#pragma once
#include "stub.h"

/// Among the answers, and none: stat(2) and lstat(2) of names that the kernel has told of. newfstatat(2) is where cards do not
/// answer it.
#define APUS_LOCAL_STAT 19
#define APUS_LOCAL_LSTAT 23

/// In the contexts.
#define APUS_NAMES_OFFSET 0x3f80000UL
#define APUS_STUB_NAMES (APUS_STUB_CONTEXTS + APUS_NAMES_OFFSET)
/// Beside the mark: which of them hold, those that say the same; 0 for none.
#define APUS_NAMES_HOLD_OFFSET (APUS_MARK_OFFSET + 8)
#define APUS_STUB_NAMES_HOLD (APUS_STUB_CONTEXTS + APUS_NAMES_HOLD_OFFSET)

/// In a name, with its end.
#define APUS_NAME_WORDS 10
#define APUS_NAME_SETS 128
#define APUS_NAME_WAYS 2
/// Of which a directory's number can be told.
#define APUS_NAME_DIRECTORIES 256
/// Where absolute names begin, and those relative to the working directory.
#define APUS_NAME_HERE 1
/// Every word of a name is mixed in with this.
#define APUS_NAME_FACTOR 0x9e3779b97f4a7c15UL

/// One name and what stands there.
struct apus_name {
    /// Odd while the kernel writes the rest; 0 before it has. Another number means another content.
    uint32_t version;
    /// What `APUS_STUB_NAMES_HOLD` says while this holds.
    uint32_t generation;
    /// Where the name begins: APUS_NAME_HERE, or what stands among `directories`.
    uint32_t directory;
    /// Links at its end are followed.
    uint32_t follows;
    /// It holds up to these ticks of the processor's clock.
    uint64_t until;
    /// 0, or why there is nothing to tell.
    int32_t error;
    /// Of the name, with its end.
    uint32_t size;
    /// The bytes behind the end are 0.
    uint64_t name[APUS_NAME_WORDS];
    /// `struct stat`.
    uint64_t status[18];
};

struct apus_names {
    /// By descriptor; 0 for one of which nothing is told. By the stub as it closes or copies one.
    uint32_t directories[APUS_NAME_DIRECTORIES];
    /// How many calls the stub has answered, ever.
    uint32_t answered;
    uint32_t padding[1024 - APUS_NAME_DIRECTORIES - 1];
    /// A name stands in the set that the lowest bits of its hash say.
    struct apus_name names[APUS_NAME_SETS][APUS_NAME_WAYS];
};
