// What the stub's own C files share. No library, no thread-local storage, no vector register, position independent:
// everything stands in the section that is copied.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "stub.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>

#pragma clang section text = "apus_stub" rodata = "apus_stub_forbidden_rodata" data = "apus_stub_forbidden_data" bss = "apus_stub_forbidden_bss"

#define CONFIG ((volatile const struct apus_config *)APUS_STUB_CONFIG)
#define DOORBELL ((struct apus_doorbell *)APUS_STUB_DOORBELL)
#define ANSWERS ((volatile const struct apus_local_answer *)APUS_STUB_ANSWERS)
#define INTERRUPT_SIGNAL SIGCHLD
#define TRAP_FLAG 0x100u
#define UNBLOCKABLE (1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1))

#define HIDDEN __attribute__((visibility("hidden")))
// In entry.S: ways in and out, and stretches of code that the signal handler has to know.
extern HIDDEN char apus_stub_leave_begin[], apus_stub_leave_end[], apus_stub_return_begin[], apus_stub_return_end[];
extern HIDDEN char apus_stub_foreign_gs[];
extern HIDDEN char apus_stub_copy_begin[], apus_stub_copy_end[], apus_stub_string_begin[], apus_stub_string_end[];
extern HIDDEN char apus_stub_zero_begin[], apus_stub_zero_end[];
extern HIDDEN char apus_stub_update_begin[], apus_stub_update_end[];
extern HIDDEN char apus_stub_watch_begin[], apus_stub_watch_end[];
extern HIDDEN char apus_stub_futex_begin[], apus_stub_futex_sleeps[], apus_stub_futex_end[];
extern HIDDEN char apus_stub_trapped[];
extern HIDDEN char apus_stub_state_begin[], apus_stub_state_end[];
extern HIDDEN const char apus_stub_initial_state[];
HIDDEN void apus_stub_leave(void) __attribute__((noreturn));
HIDDEN void apus_stub_leave_live(void) __attribute__((noreturn));
HIDDEN void apus_stub_leave_by_trap(void) __attribute__((noreturn));
HIDDEN void apus_stub_tell(void) __attribute__((noreturn));
HIDDEN void apus_stub_save_floating_point(struct apus_cold *cold);
HIDDEN void apus_stub_load_floating_point(struct apus_cold *cold);
HIDDEN long apus_stub_xsave(char *area, uint64_t components);
HIDDEN long apus_stub_xrstor_from(const char *area, uint64_t components);
HIDDEN long apus_stub_clone_thread(uint64_t flags, uint64_t stack, uint32_t *alive, struct apus_cold *block, void *function);
HIDDEN long apus_stub_clone_process(uint64_t flags, long contexts, long socket, struct apus_cold *block, void *function);
HIDDEN long apus_stub_copy(void *destination, const void *source, size_t count);
HIDDEN long apus_stub_copy_string(char *destination, const char *source, size_t limit);
HIDDEN long apus_stub_zero(void *destination, size_t count);
HIDDEN long apus_stub_update(const uint64_t *arguments);
HIDDEN long apus_stub_watch(uint64_t address, uint32_t value, uint64_t ticks);
HIDDEN long apus_stub_futex_sleep(uint64_t address, long operation, uint32_t value);

static inline __attribute__((always_inline)) long host_call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/// The low eight bits of the processor's number, which the host has in the limit of a segment for its vDSO (`CPUNODE` of
/// arch/x86/include/asm/segment.h): any processor can read that; rdpid, which says the same, is for newer ones only.
static inline uint32_t current_cpu(void) {
    uint32_t limit;
    __asm__ volatile("lsl %1, %0" : "=r"(limit) : "r"(15 * 8 + 3) : "cc");
    return limit & 0xff;
}

static inline struct apus_hot *hot_line(struct apus_cold *cold) {
    uint64_t slot = ((uint64_t)cold - APUS_STUB_CONTEXTS) / APUS_BLOCK_SIZE - 1;
    return (struct apus_hot *)(APUS_STUB_CONTEXTS + APUS_HOT_OFFSET + slot * sizeof(struct apus_hot));
}

// In conversation.c. What is asked is put together apart from the hot line.
HIDDEN void apus_stub_converse(struct apus_cold *cold, struct apus_hot *asked);
HIDDEN void apus_stub_report_interrupt(struct apus_cold *cold);
HIDDEN void apus_stub_report_and_run(struct apus_cold *cold) __attribute__((noreturn));
HIDDEN void apus_stub_start_common(struct apus_cold *cold);

// In state.c.
HIDDEN long apus_stub_push_state(struct apus_cold *cold, char *address);
HIDDEN long apus_stub_load_state(struct apus_cold *cold, const char *address);
/// The two halves of a push.
HIDDEN long apus_stub_store_state(struct apus_cold *cold, char *address);
HIDDEN void apus_stub_begin_state(struct apus_cold *cold);
/// As `apus_stub_load_state`, and the state is live. False if it is not as the kernel has left it: then that has to look at it.
HIDDEN int apus_stub_take_state(struct apus_cold *cold, const char *address);

// In futex.c.
/// Whether `apus_stub_futex` has to do with the call.
HIDDEN int apus_stub_is_futex(uint64_t number);
/// Carries out the call of the hot line. False if the kernel must be asked, as it must in any case if `must_ask`; the line says
/// then what was done. After the answer `apus_stub_uncount_wait` is due.
HIDDEN int apus_stub_futex(struct apus_cold *cold, struct apus_hot *hot, int must_ask, uint64_t *result);
HIDDEN void apus_stub_uncount_wait(struct apus_cold *cold);

// In own.c.
/// Carries out a call that concerns only what the thread's block holds. False if the kernel must be asked.
HIDDEN int apus_stub_own_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result);
/// Makes `mask` what the thread blocks. False if the kernel has taken the permission back: then it is as if that had not been
/// tried.
HIDDEN int apus_stub_take_mask(struct apus_cold *cold, uint64_t mask);

// In signal.c.
/// Carries out a call that enters a handler of the thread's own signal, or leaves one: APUS_ANSWERED_ALL. 0 if the kernel must be
/// asked.
HIDDEN int apus_stub_signal_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments);

// In files.c.
/// Reads or writes a descriptor that the kernel has told of. False if the kernel must be asked.
HIDDEN int apus_stub_file_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result);

// In pipes.c.
/// Reads or writes a pipe that the kernel has left to this process and one other. False if the kernel must be asked.
HIDDEN int apus_stub_pipe_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result);

// In ready.c.
/// Says what is ready of an epoll that the kernel has told of. False if the kernel must be asked.
HIDDEN int apus_stub_ready_call(uint32_t answer, const uint64_t *arguments, uint64_t *result);

// In mappings.c.
/// Maps private memory without a file, unmaps or protects private memory, where the kernel has said how. False if it must be asked.
HIDDEN int apus_stub_mapping_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result);
/// The file that is kept is not needed any more.
HIDDEN void apus_stub_drop_kept(struct apus_cold *cold);

// In ends.c.
/// Carries out advice on private memory. False if the kernel must be asked.
HIDDEN int apus_stub_advise(const uint64_t *arguments, uint64_t *result);
/// Whether whoever waits for the word may do so by the host: it is that of a thread whose stub wakes him so.
HIDDEN int apus_stub_may_wait_for_end(uint64_t address);
/// How many do.
HIDDEN uint32_t *apus_stub_end_waits(void);
/// The thread ends, and the kernel is about to be asked for that. What of it is done stands in the line, and in what is returned
/// for its action.
HIDDEN uint16_t apus_stub_end(struct apus_cold *cold, struct apus_hot *asked);
HIDDEN void apus_stub_count_end(void);
HIDDEN void apus_stub_wake_joiner(uint64_t word);
/// True while somebody waits in the kernel, or it has taken the permission back: then it must hear of an end now. Whoever
/// changes that looks at requests afterwards.
HIDDEN int apus_stub_is_heard(const struct apus_cold *cold);

// In begin.c.
/// Answers what a program asks as it begins. False if the kernel must be asked.
HIDDEN int apus_stub_begin_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result);

// In writes.c.
/// Posts a write to a file that the kernel has told of. False if the kernel must be asked.
HIDDEN int apus_stub_write_call(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result);

// In cards.c.
/// Carries out a call on a descriptor whose card allows it. False if the kernel must be asked.
HIDDEN int apus_stub_card_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result);
/// The call's name, which does not stand beside the list of payloads, is kept there, if somebody may ask for it again.
HIDDEN void apus_stub_keep_name(struct apus_cold *cold, const char *name, long size);
/// The kernel is asked: what held until then is forgotten.
HIDDEN void apus_stub_forget_newest(void);

// In names.c.
/// What stands at a path that begins at a descriptor, if the kernel has told of it. False if the kernel must be asked.
HIDDEN int apus_stub_name_call(uint64_t from, uint64_t path, uint32_t follows, uint64_t buffer, uint64_t *result);
/// The same with the arguments of newfstatat(2).
HIDDEN int apus_stub_name_at_call(const uint64_t *arguments, uint64_t *result);
/// The descriptor's number is about to be free.
HIDDEN void apus_stub_forget_directory(uint32_t number);
/// Another number, free until now, stands for the same directory.
HIDDEN void apus_stub_copy_directory(uint32_t number, uint32_t copy);

// In call.c.
/// More than rax has changed: the block holds every register, and `fp_pointer` tells of the floating-point state.
#define APUS_ANSWERED_ALL 2
HIDDEN int apus_stub_call(struct apus_cold *cold, struct apus_hot *hot, int is_hot);
