// What the kernel and the stub share of a process's address space, where the stub maps, unmaps and protects private memory by itself.
#pragma once
#include <stdint.h>

/// In the contexts, in the page of the cards.
#define APUS_MAPPINGS_OFFSET 0x3f20800UL
#define APUS_STUB_MAPPINGS (APUS_STUB_CONTEXTS + APUS_MAPPINGS_OFFSET)

/// Among the answers, and none: mmap(2) and munmap(2) of private memory without a file. The first's answer is the permission for
/// both.
#define APUS_LOCAL_MAP 17
#define APUS_LOCAL_UNMAP 18
/// And mprotect(2), not among the answers.
#define APUS_LOCAL_PROTECT 38

#define APUS_PAGE 0x1000UL
/// Private memory of whole huge pages begins with one.
#define APUS_HUGE_PAGE 0x200000UL

/// So many of each are told.
#define APUS_GAPS 16
#define APUS_PLAIN_AREAS 24

/// So many changes of a thread's wait for the kernel at most.
#define APUS_POSTED_MAPPINGS 16
/// Beside an address: the protection in bits 0 and 1, and that what was there is unmapped, has that protection now, or was replaced, by zeros
/// or by a part of the file that is kept, which may be executed, too.
#define APUS_POSTED_PROTECTION 3UL
#define APUS_POSTED_UNMAP 4UL
#define APUS_POSTED_PROTECT 8UL
#define APUS_POSTED_REPLACE 16UL
#define APUS_POSTED_FILE 32UL
#define APUS_POSTED_EXECUTE 64UL
/// Beside an area's protection: its pages come from a file.
#define APUS_AREA_OF_FILE 4UL

struct apus_posted_mapping {
    uint64_t place;
    uint64_t length;
    /// In the file.
    uint64_t offset;
};

struct apus_gap {
    uint64_t start;
    uint64_t end;
};

struct apus_plain_area {
    uint64_t start;
    /// 0 for a place that is free.
    uint64_t end;
    uint64_t protection;
};

/// What the one thread of an address space has mapped and unmapped by itself, since the kernel looked last: it carries that out before
/// it looks at anything else. Only the stub writes gaps and areas while the thread runs, only the kernel while it asks.
struct apus_mappings {
    /// How many changes were posted, ever; each stands at its number modulo APUS_POSTED_MAPPINGS.
    uint32_t count;
    uint32_t gap_count;
    /// Which place among the areas is given up next.
    uint32_t next_area;
    /// One more than the number of the descriptor of which the stub keeps the file that it has mapped last: until it asks for anything, or the
    /// number is closed. Parts of it may be mapped privately.
    uint32_t kept_number;
    uint32_t padding[12];
    struct apus_posted_mapping posted[APUS_POSTED_MAPPINGS];
    /// The highest below which new mappings go, descending: above the start of the last one there is no other.
    struct apus_gap gaps[APUS_GAPS];
    /// Some areas, or parts of them, that are private memory, may not be executed and are nothing else.
    struct apus_plain_area areas[APUS_PLAIN_AREAS];
};
