// Calls that only change what the kernel knows of the thread itself, in words of the thread's block that the kernel reads
// when it needs them: most programs make many of them, and each would be a conversation.
#include "internal.h"
#include "names.h"

#include <fcntl.h>

int apus_stub_take_mask(struct apus_cold *cold, uint64_t mask) {
    uint64_t old = cold->signal_mask;
    // Also where it stays as it is: who takes the permission back looks at the mask after that.
    __atomic_exchange_n(&cold->signal_mask, mask, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&cold->mask_is_here, __ATOMIC_SEQ_CST)) {
        // As if it had not begun.
        __atomic_exchange_n(&cold->signal_mask, old, __ATOMIC_SEQ_CST);
        return 0;
    }
    if (mask != old) cold->mask_moved = 1;
    return 1;
}

/// rt_sigprocmask(2) while no signal waits for the thread or its process. The kernel takes the mask back before it makes one
/// pending, and looks at the mask then: of the two one sees what the other has done.
static int change_mask(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    uint64_t set_address = arguments[1], old_address = arguments[2];
    if (!cold->mask_is_here || arguments[3] != 8) return 0;
    uint64_t old = cold->signal_mask, new = old, set;
    if (set_address) {
        if (set_address > APUS_STUB_BASE - 8 || apus_stub_copy(&set, (const void *)set_address, 8) != 0) return 0;
        set &= ~UNBLOCKABLE;
        switch ((int32_t)arguments[0]) {
        case SIG_BLOCK: new |= set; break;
        case SIG_UNBLOCK: new &= ~set; break;
        case SIG_SETMASK: new = set; break;
        default: return 0;
        }
    }
    if (old_address &&
        (old_address > APUS_STUB_BASE - 8 || apus_stub_copy((void *)old_address, &old, 8) != 0))
        return 0;
    if (new != old && !apus_stub_take_mask(cold, new)) return 0;
    *result = 0;
    return 1;
}

static int set_robust_list(struct apus_cold *cold, const uint64_t *arguments, uint64_t *result) {
    if (!ANSWERS[APUS_LOCAL_ROBUST].is_valid || arguments[1] != 24) return 0;
    cold->robust_list = arguments[0];
    *result = 0;
    return 1;
}

int apus_stub_own_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments, uint64_t *result) {
    switch (answer) {
    case APUS_LOCAL_MASK: return change_mask(cold, arguments, result);
    case APUS_LOCAL_ROBUST: return set_robust_list(cold, arguments, result);
    case APUS_LOCAL_MAP:
    case APUS_LOCAL_UNMAP: return apus_stub_mapping_call(cold, answer, arguments, result);
    case APUS_LOCAL_EPOLL_WAIT:
    case APUS_LOCAL_EPOLL_PWAIT:
    case APUS_LOCAL_EPOLL_PWAIT2: return apus_stub_ready_call(answer, arguments, result);
    case APUS_LOCAL_STAT: return apus_stub_name_call((uint64_t)AT_FDCWD, arguments[0], 1, arguments[1], result);
    case APUS_LOCAL_LSTAT: return apus_stub_name_call((uint64_t)AT_FDCWD, arguments[0], 0, arguments[1], result);
    default:
        return apus_stub_pipe_call(cold, answer, arguments, result) ||
               apus_stub_file_call(cold, answer, arguments, result);
    }
}
