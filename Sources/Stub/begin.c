// What every program asks on its way to main, and what the stub knows: where the heap ends, its %fs, its number, its limits.
//
// Only where nobody wants to hear of every call. What is set are words that the kernel looks for in the thread's block.
#include "begin.h"
#include "internal.h"

#include <asm/prctl.h>

#define BEGIN ((volatile struct apus_begin *)APUS_STUB_BEGIN)

_Static_assert(APUS_BEGIN_OFFSET + sizeof(struct apus_begin) <= APUS_HOT_OFFSET, "before the hot lines");

/// brk(2) below every heap, which says where it ends.
static int heap_end(const uint64_t *arguments, uint64_t *result) {
    uint64_t end = BEGIN->heap_end;
    if (arguments[0] != 0 || end == 0) return 0;
    *result = end;
    return 1;
}

static int arch(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t address = arguments[1];
    switch ((uint32_t)arguments[0]) {
    case ARCH_SET_FS:
        if (address >= APUS_HOST_TASK_SIZE) return 0;
        // For the ways out that load it, and for the one that does not.
        cold->registers[APUS_FS_BASE] = address;
        __asm__ volatile("wrfsbase %0" ::"r"(address));
        break;
    case ARCH_GET_FS:
        if (address > APUS_STUB_BASE - 8 || apus_stub_copy((void *)address, &cold->registers[APUS_FS_BASE], 8) != 0) return 0;
        break;
    default: return 0;
    }
    *result = 0;
    return 1;
}

/// set_tid_address(2) of a process's first thread, while that is its only one: for others the word's place must be told.
static int set_tid_address(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    if (!ANSWERS[APUS_ANSWER_THREAD].is_valid || !ANSWERS[APUS_ANSWER_PROCESS].is_valid) return 0;
    uint64_t thread = ANSWERS[APUS_ANSWER_THREAD].value;
    if (thread != ANSWERS[APUS_ANSWER_PROCESS].value) return 0;
    cold->tid_address = arguments[0];
    *result = thread;
    return 1;
}

static int limit(uint32_t resource, uint64_t buffer, uint64_t *result) {
    uint64_t values[2];
    if (!ANSWERS[APUS_ANSWER_PROCESS].is_valid || resource >= APUS_LIMITS || buffer > APUS_STUB_BASE - sizeof values) return 0;
    uint32_t version = __atomic_load_n(&BEGIN->limits_version, __ATOMIC_ACQUIRE);
    values[0] = BEGIN->limits[resource][0];
    values[1] = BEGIN->limits[resource][1];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (version == 0 || (version & 1) || BEGIN->limits_version != version) return 0;
    if (apus_stub_copy((void *)buffer, values, sizeof values) != 0) return 0;
    *result = 0;
    return 1;
}

static int prlimit(const uint64_t *arguments, uint64_t *result) {
    uint32_t process = (uint32_t)arguments[0];
    if (arguments[2] || !arguments[3] || (process && process != ANSWERS[APUS_ANSWER_PROCESS].value)) return 0;
    return limit((uint32_t)arguments[1], arguments[3], result);
}

int apus_stub_begin_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    // While calls are not traced.
    if (!ANSWERS[APUS_LOCAL_ROBUST].is_valid) return 0;
    switch (answer) {
    case APUS_LOCAL_BREAK: return heap_end(arguments, result);
    case APUS_LOCAL_ARCH: return arch(cold, arguments, result);
    case APUS_LOCAL_TID_ADDRESS: return set_tid_address(cold, arguments, result);
    case APUS_LOCAL_GETRLIMIT: return limit((uint32_t)arguments[0], arguments[1], result);
    default: return prlimit(arguments, result);
    }
}
