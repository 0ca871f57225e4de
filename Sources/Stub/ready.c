// epoll_wait(2) that need not be asked: nothing has happened in the sandbox since the kernel said what is ready.
//
// The kernel takes back what stands here before it does anything for anybody, so whoever could know of a change finds it
// taken back. What is out of the ordinary is the kernel's.
#include "internal.h"
#include "ready.h"

#define READY ((volatile struct apus_local_ready *)APUS_STUB_LOCAL_READY)

/// What the kernel says, all of it at one time. False if it says nothing now.
static int find(uint32_t descriptor, struct apus_local_ready *found) {
    uint32_t version = __atomic_load_n(&READY->version, __ATOMIC_ACQUIRE);
    if (version == 0 || (version & 1) || (uint32_t)READY->descriptor != descriptor) return 0;
    found->count = READY->count;
    found->until = READY->until;
    if (found->count > APUS_READY_MOST) return 0;
    for (uint32_t i = 0; i < found->count * (APUS_READY_SIZE / 4); i++)
        *(volatile uint32_t *)&found->events[i] = READY->events[i];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (READY->version != version) return 0;
    return found->until == ~0ul || apus_ticks() < found->until;
}

/// Whether a call waits: 0 if not, 1 if it does; -1 where the kernel must see what is wrong with its timeout.
static int waits(uint32_t answer, uint64_t timeout) {
    if (answer != APUS_LOCAL_EPOLL_PWAIT2) return (uint32_t)timeout != 0;
    uint64_t interval[2];
    if (!timeout) return 1;
    if (timeout > APUS_STUB_BASE - sizeof interval ||
        apus_stub_copy(interval, (const void *)timeout, sizeof interval) != 0 || (int64_t)interval[0] < 0 ||
        interval[1] >= 1000000000)
        return -1;
    return interval[0] != 0 || interval[1] != 0;
}

int apus_stub_ready_call(uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    uint64_t buffer = arguments[1];
    uint32_t limit = (uint32_t)arguments[2];
    // Linux looks at where the whole buffer lies, whatever comes there.
    if (limit == 0 || limit > INT32_MAX / APUS_READY_SIZE || buffer > APUS_STUB_BASE - (uint64_t)limit * APUS_READY_SIZE)
        return 0;
    // The mask of epoll_pwait.
    if (answer != APUS_LOCAL_EPOLL_WAIT && arguments[4]) return 0;
    struct apus_local_ready ready;
    if (!find((uint32_t)arguments[0], &ready) || ready.count > limit) return 0;
    int waiting = waits(answer, arguments[3]);
    if (waiting < 0 || (waiting && ready.count == 0)) return 0;
    if (ready.count && apus_stub_copy((void *)buffer, ready.events, ready.count * APUS_READY_SIZE) != 0) return 0;
    *result = ready.count;
    return 1;
}
