// What the kernel and the stub share of what a program asks as it begins: `begin.c`.
#pragma once
#include "stub.h"

/// Not among the answers: brk(2) without a change, arch_prctl(2) of %fs, set_tid_address(2), getrlimit(2), and prlimit(2) without a change.
#define APUS_LOCAL_BREAK 33
#define APUS_LOCAL_ARCH 34
#define APUS_LOCAL_TID_ADDRESS 35
#define APUS_LOCAL_GETRLIMIT 36
#define APUS_LOCAL_PRLIMIT 37

#define APUS_STUB_BEGIN (APUS_STUB_CONTEXTS + APUS_BEGIN_OFFSET)
/// `RLIM_NLIMITS`.
#define APUS_LIMITS 16

/// By the kernel, which may write it while threads of the process look.
struct apus_begin {
    /// Where the heap ends; 0 where only the kernel knows.
    uint64_t heap_end;
    /// Odd while `limits` are written; 0 before they have been.
    uint32_t limits_version;
    uint32_t padding;
    /// The soft and the hard limit of each resource.
    uint64_t limits[APUS_LIMITS][2];
};
