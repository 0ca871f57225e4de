// futex(2) between threads of one process, by the host's futexes: the kernel hears only of what these cannot do.
//
// A private futex is a word of this address space, for the host as for the guest, so a wait and a wake-up that both happen here need
// nobody else. Threads may wait for the same word in the kernel, too: with a timeout, or at times at which the kernel does
// not allow waits here. They are counted before they ask, and whoever wakes looks at the count after its wake-up here.
#include "internal.h"

#define KERNEL_WAITS ((uint32_t *)APUS_STUB_KERNEL_WAITS)
#define COMMAND(operation) ((operation) & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))

/// `FUTEX_LOCK_PI2`, which the host's headers may not know.
#define APUS_FUTEX_LOCK_PI2 13

/// A watch that has not paid for itself at this length is not worth its beginning.
#define SHORTEST_WATCH 1500u
#define UNWATCHED_WAITS 64u

static int may_wait_here(void) { return ANSWERS[APUS_LOCAL_FUTEX].is_valid != 0; }

/// Watches the word for a while where that has paid: a change that another processor makes soon is seen sooner than a wake-up
/// would arrive. True if it has changed, as it would have for a call that came a little later.
static int changes_soon(struct apus_cold *cold, uint64_t address, uint32_t value) {
    uint32_t most = CONFIG->watch_ticks;
    if (most == 0) return 0;
    if (cold->unwatched_waits) {
        cold->unwatched_waits--;
        return 0;
    }
    uint32_t budget = cold->watch_ticks;
    if (budget < SHORTEST_WATCH || budget > most) budget = most / 4;
    int changed = (int)apus_stub_watch(address, value, budget);
    cold->watch_ticks = changed ? (budget > most / 2 ? most : budget * 2) : budget / 2;
    if (!changed && budget / 2 < SHORTEST_WATCH) cold->unwatched_waits = UNWATCHED_WAITS;
    return changed;
}

/// FUTEX_WAIT without a timeout. False if the kernel must be asked: what it has to know then stands with the request.
/// @param operation FUTEX_WAIT_PRIVATE, or FUTEX_WAIT for the word of a thread's end.
static int wait_here(struct apus_cold *cold, struct apus_hot *hot, long operation, uint64_t *result) {
    uint64_t address = hot->arguments[0];
    uint32_t value = (uint32_t)hot->arguments[2];
    // Barriers, here and at the end: the kernel takes the permission back, then looks who waits here. Who does asks before it
    // runs guest code again.
    __atomic_exchange_n(&cold->stub_sleeps, 2, __ATOMIC_SEQ_CST);
    long got = -EINVAL;
    if (may_wait_here())
        got = changes_soon(cold, address, value) ? -EAGAIN : apus_stub_futex_sleep(address, operation, value);
    __atomic_exchange_n(&cold->stub_sleeps, 0, __ATOMIC_SEQ_CST);
    int is_over = got == 0 || got == -EAGAIN;
    if (is_over && may_wait_here()) {
        *result = (uint64_t)got;
        return 1;
    }
    if (is_over || got == -EINTR) {
        hot->action = APUS_REQUEST_BEGUN;
        hot->arguments[3] = (uint64_t)-got;
    }
    return 0;
}

/// The same for a word that becomes 0 when a thread ends, without FUTEX_PRIVATE_FLAG.
static int wait_for_end(struct apus_cold *cold, struct apus_hot *hot, uint64_t *result) {
    if (!apus_stub_may_wait_for_end(hot->arguments[0])) return 0;
    __atomic_add_fetch(apus_stub_end_waits(), 1, __ATOMIC_SEQ_CST);
    int is_over = wait_here(cold, hot, FUTEX_WAIT, result);
    __atomic_sub_fetch(apus_stub_end_waits(), 1, __ATOMIC_SEQ_CST);
    return is_over;
}

/// FUTEX_WAKE. Also at times at which nobody may wait here any more: somebody may still do.
/// @param operation FUTEX_WAKE_PRIVATE or FUTEX_WAKE.
static int wake_here(struct apus_hot *hot, long operation, int must_ask, uint64_t *result) {
    long woken = host_call(SYS_futex, (long)hot->arguments[0], operation, (long)hot->arguments[2], 0, 0, 0);
    if (woken < 0) return 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    int32_t wanted = (int32_t)hot->arguments[2];
    int is_over = woken > 0 && woken >= wanted;
    if (!must_ask && (is_over || __atomic_load_n(KERNEL_WAITS, __ATOMIC_SEQ_CST) == 0)) {
        *result = (uint64_t)woken;
        return 1;
    }
    hot->action = APUS_REQUEST_BEGUN;
    hot->arguments[3] = (uint64_t)woken;
    return 0;
}

/// The kernel is about to be asked for a wait.
static void count_wait(struct apus_cold *cold) {
    if (cold->is_counted) return;
    cold->is_counted = 1;
    __atomic_add_fetch(KERNEL_WAITS, 1, __ATOMIC_SEQ_CST);
}

void apus_stub_uncount_wait(struct apus_cold *cold) {
    if (!cold->is_counted) return;
    cold->is_counted = 0;
    __atomic_sub_fetch(KERNEL_WAITS, 1, __ATOMIC_SEQ_CST);
}

int apus_stub_is_futex(uint64_t number) {
    return number == SYS_futex || number == APUS_HOST_FUTEX_WAITV || number == APUS_HOST_FUTEX_WAIT;
}

int apus_stub_futex(struct apus_cold *cold, struct apus_hot *hot, int must_ask, uint64_t *result) {
    hot->action = 0;
    // While calls are traced, all of them are the kernel's.
    if (!ANSWERS[APUS_LOCAL_FUTEX].value) return 0;
    if (hot->value == SYS_futex) {
        uint32_t operation = (uint32_t)hot->arguments[1];
        int is_word = hot->arguments[0] < APUS_STUB_BASE && hot->arguments[0] % 4 == 0;
        int is_here = is_word && (operation & FUTEX_PRIVATE_FLAG);
        int is_any = (uint32_t)hot->arguments[5] == FUTEX_BITSET_MATCH_ANY;
        int is_plain = COMMAND(operation) == FUTEX_WAIT || COMMAND(operation) == FUTEX_WAKE;
        switch (COMMAND(operation)) {
        case FUTEX_WAKE_BITSET:
        case FUTEX_WAKE:
            if (!is_word || !(is_any || is_plain) || (operation & FUTEX_CLOCK_REALTIME)) return 0;
            if (is_here) return wake_here(hot, FUTEX_WAKE_PRIVATE, must_ask, result);
            // Only a few wait so; anybody else may, in the kernel.
            return __atomic_load_n(apus_stub_end_waits(), __ATOMIC_SEQ_CST) && wake_here(hot, FUTEX_WAKE, 1, result);
        case FUTEX_WAIT_BITSET:
        case FUTEX_WAIT:
            if (must_ask || !is_word || hot->arguments[3] || !(is_any || is_plain)) break;
            if (is_plain && (operation & FUTEX_CLOCK_REALTIME)) break;
            if (is_here ? wait_here(cold, hot, FUTEX_WAIT_PRIVATE, result) : wait_for_end(cold, hot, result)) return 1;
            break;
        case FUTEX_WAIT_REQUEUE_PI:
        // Whoever waits for a thread's lock hears of its end.
        case FUTEX_LOCK_PI:
        case APUS_FUTEX_LOCK_PI2:
            break;
        default:
            return 0;
        }
    }
    count_wait(cold);
    return 0;
}
