// Signals that a thread sends to itself, and the way back from handlers: nobody else has to do with either while no signal
// waits and no trace is written. The frames are those of `Kernel/Signals/SignalFrame.swift`, and whatever is unusual about one is
// left to that: nothing has happened then.
#include "internal.h"

enum {
    // The frame in words: return address, then the ucontext.
    FRAME_STACK = 3,
    FRAME_REGISTERS = 6,
    FRAME_FLAGS = FRAME_REGISTERS + 17,
    FRAME_SEGMENTS,
    FRAME_ERROR,
    FRAME_TRAP,
    FRAME_OLD_MASK,
    FRAME_FAULT_ADDRESS,
    FRAME_STATE,
    FRAME_MASK = 38,
    FRAME_INFO,
    FRAME_WORDS = 55,
};

#define RED_ZONE 128
#define SEGMENTS (0x2bul << 48 | 0x33)
#define CONTEXT_FLAGS 7
#define LOWEST_STATE (512 + 64)
/// Direction, trap and resume: what a handler begins without.
#define CLEARED_FLAGS 0x10500ul
/// What a frame may set: carry, parity, adjust, zero, sign, trap, direction, overflow, resume, alignment check.
#define SETTABLE_FLAGS 0x50dd5ul
#define NO_INFO_FLAGS (1ul << 2)
#define ON_STACK 0x08000000ul
#define NO_DEFER 0x40000000ul
#define AUTO_DISARM (1u << 31)

/// In the order of `struct sigcontext`.
#define IN_FRAME_ORDER(X) \
    X(0, R8) X(1, R9) X(2, R10) X(3, R11) X(4, R12) X(5, R13) X(6, R14) X(7, R15) X(8, RDI) X(9, RSI) X(10, RBP) X(11, RBX) \
    X(12, RDX) X(13, RAX) X(14, RCX) X(15, RSP) X(16, RIP)

static int holds(const struct apus_handlers *known, uint64_t pointer) {
    return pointer > known->stack_base && pointer - known->stack_base <= known->stack_size;
}

static const struct apus_own_action *action_on(const struct apus_handlers *known, int32_t signal) {
    for (int i = 0; i < APUS_OWN_ACTIONS; i++)
        if (known->actions[i].signal == signal && signal > 0) return &known->actions[i];
    return 0;
}

/// Enters the handler of a signal that the thread has sent to itself; `code` is what its siginfo says.
static int enter_handler(struct apus_cold *cold, int32_t signal, int32_t code) {
    const struct apus_handlers *known = &cold->handlers;
    const struct apus_own_action *action = action_on(known, signal);
    uint64_t *r = cold->registers, mask = cold->signal_mask, own = 1ul << (signal - 1);
    if (!action || (mask & own) || (r[APUS_FLAGS] & TRAP_FLAG) || !ANSWERS[APUS_ANSWER_USER].is_valid) return 0;
    uint64_t pointer = r[APUS_RSP] - RED_ZONE, size = CONFIG->fp_size;
    int is_on_stack = holds(known, r[APUS_RSP]);
    if ((action->flags & ON_STACK) && known->stack_size && !holds(known, pointer)) {
        pointer = known->stack_base + known->stack_size;
        is_on_stack = 1;
    }
    if (size < LOWEST_STATE || pointer > APUS_STUB_BASE || pointer < 2 * APUS_BLOCK_SIZE) return 0;
    uint64_t state = (pointer - (size + 4)) & ~63ul;
    uint64_t frame = ((state - 8 * FRAME_WORDS) & ~15ul) - 8;
    if (is_on_stack && !holds(known, frame)) return 0;

    uint64_t words[FRAME_WORDS];
    volatile uint64_t *w = words;
    w[0] = action->restorer;
    w[1] = CONTEXT_FLAGS;
    w[2] = 0;
    w[FRAME_STACK] = known->stack_base;
    w[FRAME_STACK + 1] = known->stack_flags;
    w[FRAME_STACK + 2] = known->stack_size;
#define PUT(place, name) w[FRAME_REGISTERS + place] = r[APUS_##name];
    IN_FRAME_ORDER(PUT)
    // What the call returns.
    w[FRAME_REGISTERS + 13] = 0;
    w[FRAME_FLAGS] = r[APUS_FLAGS];
    w[FRAME_SEGMENTS] = SEGMENTS;
    w[FRAME_ERROR] = known->fault_error;
    w[FRAME_TRAP] = known->fault_trap;
    w[FRAME_OLD_MASK] = mask;
    w[FRAME_FAULT_ADDRESS] = known->fault_address;
    w[FRAME_STATE] = state;
    for (int i = FRAME_STATE + 1; i < FRAME_MASK; i++) w[i] = 0;
    w[FRAME_MASK] = mask;
    for (int i = FRAME_INFO; i < FRAME_WORDS; i++) w[i] = 0;
    if (action->flags & NO_INFO_FLAGS) {
        w[FRAME_INFO] = (uint32_t)signal;
        w[FRAME_INFO + 1] = (uint32_t)code;
        w[FRAME_INFO + 2] = (uint32_t)ANSWERS[APUS_ANSWER_PROCESS].value | ANSWERS[APUS_ANSWER_USER].value << 32;
    }
    if (apus_stub_copy((void *)frame, words, sizeof words)) return 0;
    // Last of what may fail before it, since the state is a fresh one after it.
    uint64_t handler = action->handler, blocked = mask | action->mask | (action->flags & NO_DEFER ? 0 : own);
    if (handler >= APUS_STUB_BASE || apus_stub_store_state(cold, (char *)state)) return 0;
    if (!apus_stub_take_mask(cold, blocked)) return 0;
    apus_stub_begin_state(cold);
    r[APUS_RDI] = (uint64_t)signal;
    r[APUS_RSI] = frame + 8 * FRAME_INFO;
    r[APUS_RDX] = frame + 8;
    r[APUS_RAX] = r[APUS_ORIGINAL_RAX] = 0;
    r[APUS_RIP] = handler;
    r[APUS_RSP] = frame;
    r[APUS_FLAGS] &= ~CLEARED_FLAGS;
    return APUS_ANSWERED_ALL;
}

/// `kill(2)` of a process of one thread by itself, and `tgkill(2)` of a thread by itself.
static int kill_self(struct apus_cold *cold, const uint64_t *arguments) {
    if (!ANSWERS[APUS_ANSWER_THREAD].is_valid) return 0;
    return enter_handler(cold, (int32_t)arguments[1], 0);
}

static int kill_thread(struct apus_cold *cold, const uint64_t *arguments) {
    if ((int32_t)arguments[1] != cold->handlers.thread) return 0;
    return enter_handler(cold, (int32_t)arguments[2], -6);
}

/// `rt_sigreturn(2)`.
static int return_from_handler(struct apus_cold *cold) {
    const struct apus_handlers *known = &cold->handlers;
    uint64_t *r = cold->registers, context = r[APUS_RSP], words[FRAME_INFO];
    volatile uint64_t *w = words;
    if (context > APUS_STUB_BASE - 8 * FRAME_WORDS || apus_stub_copy(words + 1, (void *)context, 8 * (FRAME_INFO - 1)))
        return 0;
    uint64_t flags = (r[APUS_FLAGS] & ~SETTABLE_FLAGS) | (w[FRAME_FLAGS] & SETTABLE_FLAGS);
    uint64_t rip = w[FRAME_REGISTERS + 16], state = w[FRAME_STATE];
    if (((w[FRAME_SEGMENTS] & 0xffff) | 3) != 0x33 || (flags & TRAP_FLAG) || rip >= APUS_STUB_BASE) return 0;
    // Setting the stack that is set changes nothing.
    if (w[FRAME_STACK] != known->stack_base || (uint32_t)w[FRAME_STACK + 1] != known->stack_flags ||
        w[FRAME_STACK + 2] != known->stack_size)
        return 0;
    // What the state was is not needed any more, whoever carries on.
    if (!apus_stub_take_state(cold, (char *)state)) return 0;
    if (!apus_stub_take_mask(cold, w[FRAME_MASK] & ~UNBLOCKABLE)) return 0;
#define TAKE(place, name) r[APUS_##name] = w[FRAME_REGISTERS + place];
    IN_FRAME_ORDER(TAKE)
    r[APUS_ORIGINAL_RAX] = r[APUS_RAX];
    r[APUS_FLAGS] = flags;
    return APUS_ANSWERED_ALL;
}

int apus_stub_signal_call(struct apus_cold *cold, uint32_t answer, const uint64_t *arguments) {
    const struct apus_handlers *known = &cold->handlers;
    if (!cold->mask_is_here || !known->is_known || (known->stack_flags & AUTO_DISARM) || cold->gs_base) return 0;
    if (answer == APUS_LOCAL_SIGRETURN) return return_from_handler(cold);
    if (!ANSWERS[APUS_ANSWER_PROCESS].is_valid || (int32_t)arguments[0] != (int32_t)ANSWERS[APUS_ANSWER_PROCESS].value)
        return 0;
    return answer == APUS_LOCAL_KILL ? kill_self(cold, arguments) : kill_thread(cold, arguments);
}
