#pragma once
#include <stddef.h>
#include <stdint.h>

#include "ptrace_shim.h"
#include "spawn_shim.h"

/// One system call of the host, without the C library's errno: the result, or a negated error number.
long apus_host_call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e,
                    unsigned long f);

/// `clock_gettime(2)` by the host's vDSO, which Swift can't call without the C library's types.
void apus_host_clock(int clock, int64_t *seconds, int64_t *nanoseconds);

/// `clock_getres(2)` in nanoseconds, by the host's vDSO.
int64_t apus_host_clock_resolution(int clock);

/// The time-stamp counter.
static inline uint64_t apus_host_ticks(void) { return __builtin_ia32_rdtsc(); }

/// The processor that the calling thread runs on, without a system call.
uint32_t apus_host_processor(void);

static inline void apus_host_relax(void) { __builtin_ia32_pause(); }

/// Sends `count` (at most 4) descriptors with one byte over a Unix socket; 0 or a negated errno.
long apus_host_send_descriptors(int socket, const int *descriptors, int count);

/// Makes `word` go up by one and wakes one waiter whenever a child of this process ends or another of the forwarded
/// signals arrives; each signal's bit is set in the first of the two words at `signals`, or in the second if the
/// supervisor passed it on. With `stops` also whenever a thread stops that the calling thread traces.
void apus_host_route_signals(uint32_t *word, uint64_t *signals, const int *numbers, int count, int stops);

/// Gives back what only the start of the program has needed: its code's pages, which come again when they are used, and free
/// memory of the C library's.
void apus_host_forget_start(void);

/// The extended-state components that the host saves for every process (XCR0 without tiles), and the size in bytes of an
/// XSAVE area in standard format that holds them.
void apus_host_extended_state(uint64_t *components, uint32_t *size);

/// fork(2) through the C library, for a process with one thread. A negated errno on failure.
int apus_host_fork(void);

/// Waits for a child; its wait status. Signals sent to this process meanwhile are sent on to the child, except those that
/// the terminal sends to both.
int apus_host_supervise(int child);

/// An entry of the auxiliary vector as the kernel gave it to this process; 0 if there is none. See getauxval(3).
unsigned long apus_host_auxiliary(unsigned long type);

/// Whether the processor has BMI2, by cpuid.
int apus_host_has_bit_instructions(void);

/// From now on a call that this process's seccomp filter refuses (SECCOMP_RET_TRAP) ends it with status 125, after a message
/// on standard error that names the call's number.
void apus_host_report_refused_calls(void);

/// This process's working directory is a `/proc` for good: what is below it goes by relative paths from now on.
void apus_host_stand_in_proc(void);

/// Whether that has been said.
int apus_host_stands_in_proc(void);

/// Mounts proc(5) over /proc in a mount namespace of its own, unseen by others. 0 or a negated errno.
int apus_host_mount_proc(void);
