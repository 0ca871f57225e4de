// What both sides do with the processor.
#pragma once
#include <stdint.h>

/// In a loop that looks for what the other side writes.
static inline void apus_relax(void) { __builtin_ia32_pause(); }
/// For a line that is written soon: the other side gives it up meanwhile.
static inline void apus_fetch_to_write(const void *line) { __asm__ volatile("prefetchw %0" ::"m"(*(const char *)line)); }
/// The time stamp counter.
static inline uint64_t apus_ticks(void) { return __builtin_ia32_rdtsc(); }
