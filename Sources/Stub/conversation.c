// The conversation with the kernel: asking, waiting for the answer, carrying out what it says.
#include "ends.h"
#include "internal.h"

// --- Asking and waiting -----------------------------------------------------------------------------------------------

static void wake(uint32_t *word) {
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    host_call(SYS_futex, (long)word, FUTEX_WAKE, 0x7fffffff, 0, 0, 0);
}

static void ring(void) {
    // All of them: a guest may have gone to sleep on it, too.
    if (CONFIG->kernel_sleeps) wake(&DOORBELL->word);
}

/// Writes the line at once: while it is written the kernel looks at it, and each look takes it away.
static void publish(struct apus_hot *hot, const struct apus_hot *asked, uint32_t cpu) {
    uint64_t head = APUS_STATE_REQUEST | (uint64_t)asked->kind << 32 | (uint64_t)(cpu & 0xff) << 40 |
                    (uint64_t)asked->action << 48;
    hot->value = asked->value;
    for (int i = 0; i < 6; i++) hot->arguments[i] = asked->arguments[i];
    // A full barrier between the request and the look at the kernel's sleep flag; the kernel does the reverse.
    __atomic_exchange_n((uint64_t *)hot, head, __ATOMIC_SEQ_CST);
    if (!(asked->action & APUS_REQUEST_QUIET)) ring();
}

static void wake_other(const struct apus_hot *hot) { wake(&DOORBELL->wake[hot->arguments[0] % APUS_WAKE_WORDS]); }

/// Where a sleeper waits: on a word that other stubs can reach, where it has one.
static uint32_t *place_to_sleep(struct apus_cold *cold, struct apus_hot *hot) {
    uint32_t index = cold->wake_index % APUS_WAKE_WORDS;
    return index ? &DOORBELL->wake[index] : &hot->state;
}

/// In TSC ticks: for how long a stub gives way at most before it sleeps, and for how long it looks before it does so again.
enum { TURN_TICKS = 50000, LOOK_TICKS = 4000 };

static void give_way_once(void) { host_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0); }

/// Gives way to whom it waits for, if that shares this processor, and looks for the answer. True once it stands.
/// @param has_given it has just done so, and looks first.
static int give_way(const struct apus_hot *hot, int has_given) {
    uint64_t start = apus_ticks(), now = start;
    do {
        if (!has_given) give_way_once();
        has_given = 0;
        uint64_t looked = apus_ticks();
        do {
            if (__atomic_load_n(&hot->state, __ATOMIC_ACQUIRE) == APUS_STATE_DONE) return 1;
            apus_relax();
            now = apus_ticks();
        } while (now - looked < LOOK_TICKS);
    } while (now - start < TURN_TICKS);
    return 0;
}

/// Which of its calls a thread gives way at: where it keeps that, and what it is. Reads and writes do not share a place.
static uint64_t *turn_place(struct apus_cold *cold, const struct apus_hot *asked) {
    return &cold->turn_calls[asked->value & 1];
}
static uint64_t turn_call(const struct apus_hot *asked) {
    return asked->kind == APUS_KIND_SYSCALL ? (asked->value + 1) << 32 | (uint32_t)asked->arguments[0] : 0;
}

/// Sleeps until the answer stands.
/// @param ended of a call that the kernel was not woken for; else null.
static void sleep_for_answer(struct apus_cold *cold, struct apus_hot *hot, const struct apus_hot *ended) {
    __atomic_exchange_n(&cold->stub_sleeps, 1, __ATOMIC_SEQ_CST);
    uint32_t *place = place_to_sleep(cold, hot);
    for (;;) {
        // First the word, then the state: whoever wakes changes them the other way round.
        uint32_t seen = __atomic_load_n(place, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&hot->state, __ATOMIC_SEQ_CST) == APUS_STATE_DONE) break;
        if (ended && apus_stub_is_heard(cold)) {
            ended = 0;
            ring();
        }
        host_call(SYS_futex, (long)place, FUTEX_WAIT, seen, 0, 0, 0);
    }
    __atomic_store_n(&cold->stub_sleeps, 0, __ATOMIC_SEQ_CST);
}

/// @param gives_way it is a call at which this thread gave way the last time: it does so at once, while the kernel has its turn.
/// Returns whether it has.
static int wait_for_answer(struct apus_cold *cold, struct apus_hot *hot, uint32_t cpu, int gives_way) {
    // Spinning on the kernel's own processor would only keep it from answering.
    if (CONFIG->spin_ticks && CONFIG->kernel_cpu != cpu) {
        if (gives_way) give_way_once();
        uint64_t start = apus_ticks();
        uint64_t budget = CONFIG->spin_ticks;
        do {
            for (int i = 0; i < 32; i++) {
                uint32_t state = __atomic_load_n(&hot->state, __ATOMIC_ACQUIRE);
                if (state == APUS_STATE_DONE) return gives_way;
                if (state == APUS_STATE_BLOCK) {
                    // Whose end gives somebody else what he waits for wakes him before it sleeps.
                    if (hot->action & APUS_ACTION_WAKE) wake_other(hot);
                    if ((hot->action & APUS_ACTION_TURN) && give_way(hot, gives_way)) return 1;
                    goto sleep;
                }
                apus_relax();
            }
        } while (apus_ticks() - start < budget);
    } else if (CONFIG->takes_turns && __atomic_load_n(&hot->state, __ATOMIC_ACQUIRE) == APUS_STATE_REQUEST) {
        give_way_once();
        if (__atomic_load_n(&hot->state, __ATOMIC_ACQUIRE) == APUS_STATE_DONE) return 1;
    }
sleep:
    sleep_for_answer(cold, hot, 0);
    return 1;
}

// --- Commands ---------------------------------------------------------------------------------------------------------

void apus_stub_start_common(struct apus_cold *cold) {
    __asm__ volatile("wrgsbase %0" ::"r"((uint64_t)cold));
    if (CONFIG->traced) return;
    // User dispatch is not inherited. PR_SET_SYSCALL_USER_DISPATCH, on, with the stub's own code left out.
    host_call(SYS_prctl, 59, 1, APUS_STUB_BASE, APUS_STUB_CODE_SIZE, 0, 0);
}

static void start_thread(struct apus_cold *cold) __attribute__((noreturn));
static void start_thread(struct apus_cold *cold) {
    stack_t stack = {(char *)cold + APUS_STACK, 0, APUS_STACK_SIZE};
    host_call(SYS_sigaltstack, (long)&stack, 0, 0, 0, 0, 0);
    apus_stub_start_common(cold);
    apus_stub_report_and_run(cold);
}

static void start_process(struct apus_cold *cold, long socket) __attribute__((noreturn));
static void start_process(struct apus_cold *cold, long socket) {
    host_call(SYS_dup2, socket, APUS_SOCKET, 0, 0, 0, 0);
    // The contexts' descriptor, and whatever the parent held at that moment.
    host_call(SYS_close_range, APUS_SOCKET + 1, 0xffffffff, 0, 0, 0, 0);
    // PR_SET_PDEATHSIG, SIGKILL: the kernel's end is everybody's.
    host_call(SYS_prctl, 1, 9, 0, 0, 0, 0);
    // It may have ended before that.
    if (host_call(SYS_getppid, 0, 0, 0, 0, 0, 0) != (long)CONFIG->kernel_process) host_call(SYS_exit, 98, 0, 0, 0, 0, 0);
    // Grandchildren must not find these registers: MADV_DONTFORK.
    host_call(SYS_madvise, APUS_STUB_CONTEXTS, APUS_CONTEXTS_SIZE, 10, 0, 0, 0);
    // Not before, since that would be refused. A host that knows no seals has the filter's checks alone.
    host_call(APUS_HOST_MSEAL, APUS_STUB_CONTEXTS, APUS_CONTEXTS_SIZE, 0, 0, 0, 0);
    apus_stub_start_common(cold);
    apus_stub_report_and_run(cold);
}

// Takes up to `wanted` descriptors from the socket into `out`; returns how many came, or a negated error.
static long receive(int32_t *out, int wanted) {
    char byte;
    struct {
        uint64_t base;
        uint64_t length;
    } vector = {(uint64_t)&byte, 1};
    struct {
        uint64_t length;
        int32_t level, type;
        int32_t descriptors[4];
    } control;
    control.length = 0;
    struct {
        uint64_t name;
        uint32_t name_length, padding;
        uint64_t vector, vector_count, control, control_length;
        int32_t flags, padding2;
    } message;
    message.name = 0;
    message.name_length = 0;
    message.vector = (uint64_t)&vector;
    message.vector_count = 1;
    message.control = (uint64_t)&control;
    message.control_length = 16 + 4 * (uint64_t)wanted;
    message.flags = 0;
    long result;
    do result = host_call(SYS_recvmsg, APUS_SOCKET, (long)&message, MSG_CMSG_CLOEXEC, 0, 0, 0);
    while (result == -4);
    if (result < 0) return result;
    long count = control.length < 16 ? 0 : (long)(control.length - 16) / 4;
    for (long i = 0; i < count && i < wanted; i++) out[i] = control.descriptors[i];
    return count;
}

/// Has the guest's floating-point state live, as the threads and processes that the host makes now begin. A tracer moves it
/// itself.
static void make_state_live(struct apus_cold *cold) {
    if (cold->fp_pointer && !CONFIG->traced) apus_stub_load_floating_point(cold);
}

static struct apus_cold *block_at(uint64_t slot) {
    return (struct apus_cold *)(APUS_STUB_CONTEXTS + APUS_BLOCK_SIZE * (slot + 1));
}

/// Lets the thread of the block, which waits for its answer, go on.
static void start_resting(struct apus_cold *block) {
    apus_stub_save_floating_point(block);
    struct apus_hot *hot = hot_line(block);
    __atomic_exchange_n(&hot->state, APUS_STATE_DONE, __ATOMIC_SEQ_CST);
    if (!block->stub_sleeps) return;
    uint32_t *place = place_to_sleep(block, hot);
    if (place != &hot->state) wake(place);
    else host_call(SYS_futex, (long)place, FUTEX_WAKE, 1, 0, 0, 0);
}

static long carry_out(struct apus_cold *cold, struct apus_command *command) {
    uint64_t *a = command->arguments;
    switch (command->number) {
    case APUS_COMMAND_RECEIVE: {
        int32_t descriptor = -1;
        long count = receive(&descriptor, 1);
        cold->received = descriptor;
        return count == 1 ? 0 : count < 0 ? count : -5;
    }
    case APUS_COMMAND_MAP: {
        long result = host_call(SYS_mmap, a[0], a[1], a[2], a[3], cold->received, a[5]);
        // The commands end here, and the descriptor must not stay.
        if (result < 0 && result >= -4095) host_call(SYS_close, cold->received, 0, 0, 0, 0, 0);
        return result;
    }
    case APUS_COMMAND_CLOSE:
        return host_call(SYS_close, cold->received, 0, 0, 0, 0, 0);
    case APUS_COMMAND_KEEP:
        cold->is_kept = 1;
        return 0;
    case APUS_COMMAND_ZERO:
        return apus_stub_zero((void *)a[0], a[1]) == 0 ? 0 : -14;
    case APUS_COMMAND_COPY:
        if (a[1] > APUS_BOUNCE_SIZE) return -EINVAL;
        return apus_stub_copy((void *)a[0], (char *)cold + APUS_BOUNCE, a[1]) == 0 ? 0 : -EFAULT;
    case APUS_COMMAND_UNMAP_ALL: {
        long result = host_call(SYS_munmap, 0, APUS_STUB_BASE, 0, 0, 0, 0);
        if (result < 0) return result;
        return host_call(SYS_munmap, APUS_STUB_END, APUS_HOST_TASK_SIZE - APUS_STUB_END, 0, 0, 0, 0);
    }
    case APUS_COMMAND_NEW_THREAD: {
        struct apus_cold *block = block_at(a[0]);
        long result;
        make_state_live(cold);
        // The kernel has to let it pass: an interrupt before that has the call begin again.
        do
            result = apus_stub_clone_thread(APUS_CLONE_THREAD, (uint64_t)block + APUS_BLOCK_SIZE - 64, &block->alive,
                                            block, start_thread);
        while (result == -4);
        return result;
    }
    case APUS_COMMAND_NEW_PROCESS: {
        struct apus_cold *block = block_at(a[0]);
        int32_t both[2];
        long count = receive(both, 2);
        if (count != 2) return count < 0 ? count : -5;
        long result;
        make_state_live(cold);
        do result = apus_stub_clone_process(APUS_CLONE_PROCESS, both[0], both[1], block, start_process);
        while (result == -4);
        host_call(SYS_close, both[0], 0, 0, 0, 0, 0);
        host_call(SYS_close, both[1], 0, 0, 0, 0, 0);
        return result;
    }
    case APUS_COMMAND_EXIT_THREAD:
        apus_stub_uncount_wait(cold);
        return host_call(SYS_exit, 0, 0, 0, 0, 0, 0);
    case APUS_COMMAND_UPDATE_WORD:
        return apus_stub_update(a);
    case APUS_COMMAND_PUSH_STATE:
        return apus_stub_push_state(cold, (char *)a[0]);
    case APUS_COMMAND_LOAD_STATE:
        return apus_stub_load_state(cold, (const char *)a[0]);
    case APUS_COMMAND_START_THREAD:
        make_state_live(cold);
        start_resting(block_at(a[0]));
        return 0;
    default:
        return host_call((long)command->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

/// Carries out the commands in order; stops at the first that fails. True if the kernel must hear of it.
static int carry_out_all(struct apus_cold *cold) {
    uint32_t count = cold->command_count;
    if (count > APUS_MAX_COMMANDS) count = APUS_MAX_COMMANDS;
    int failed = 0;
    for (uint32_t i = 0; i < count; i++) {
        long result = carry_out(cold, &cold->commands[i]);
        cold->commands[i].result = result;
        if (result < 0 && result >= -4095) {
            failed = 1;
            break;
        }
    }
    return failed;
}

/// Carries out the command that stands in the hot line. As above; only a failure is written where the kernel reads it.
static int carry_out_one(struct apus_cold *cold, const struct apus_hot *hot) {
    struct apus_command command;
    command.number = hot->arguments[0];
    for (int i = 0; i < 5; i++) command.arguments[i] = *(volatile const uint64_t *)&hot->arguments[i + 1];
    command.arguments[5] = 0;
    long result = carry_out(cold, &command);
    if (result >= 0 || result < -4095) return 0;
    cold->command_count = 1;
    cold->commands[0].result = result;
    return 1;
}

/// Copies the results of the call to guest memory. True if an address was bad: the kernel must hear of it.
static int copy_out(struct apus_cold *cold) {
    uint32_t count = cold->out_count;
    if (count > APUS_MAX_PAYLOADS) count = APUS_MAX_PAYLOADS;
    for (uint32_t i = 0; i < count; i++) {
        struct apus_payload *out = &cold->out[i];
        uint32_t offset = out->offset, size = out->count;
        char *source = (char *)cold + APUS_BOUNCE + offset;
        if (offset == APUS_BESIDE) {
            source = (char *)cold->out_bytes;
            if (size > APUS_BESIDE_SIZE) break;
        } else if (offset > APUS_BOUNCE_SIZE || size > APUS_BOUNCE_SIZE - offset) {
            break;
        }
        if (apus_stub_copy((void *)out->address, source, size) != 0) {
            cold->out_fault = 1;
            return 1;
        }
    }
    return 0;
}

/// Copies a result that stands in the hot line. As above.
static int copy_here(struct apus_cold *cold, const struct apus_hot *hot, uint32_t action) {
    uint32_t size = action >> APUS_HERE_SHIFT & APUS_HERE_MASK;
    if (size > APUS_HERE_SIZE) size = APUS_HERE_SIZE;
    if (apus_stub_copy((void *)hot->arguments[1], &hot->arguments[APUS_HERE_ARGUMENT], size) == 0) return 0;
    cold->out_fault = 1;
    return 1;
}

/// Loads the floating-point state of a trapped call, which the host has put into its frame and taken out of the registers, while
/// the kernel works. What the processor refuses it refuses again on the way out.
static void load_state_meanwhile(struct apus_cold *cold) {
    const char *state = (const char *)cold->fp_pointer;
    // These leave by the frame, and as it is.
    if (!state || cold->gs_base || (cold->registers[APUS_FLAGS] & TRAP_FLAG)) return;
    if (apus_stub_xrstor_from(state, CONFIG->fp_mask) == 0) cold->fp_pointer = 0;
}

/// Asks the kernel what stands in `asked`, and does what it answers, until it lets the guest go on.
void apus_stub_converse(struct apus_cold *cold, struct apus_hot *asked) {
    struct apus_hot *hot = hot_line(cold);
    apus_stub_forget_newest();
    if (cold->is_kept) apus_stub_drop_kept(cold);
    // The kernel does what follows itself, or sends the thread to the order below.
    if (CONFIG->traced) {
        hot->kind = asked->kind;
        apus_stub_tell();
    }
    for (;;) {
        uint32_t cpu = current_cpu();
        uint64_t call = turn_call(asked), *place = turn_place(cold, asked);
        int is_expected = call && *place == call;
        int is_quiet = asked->action & APUS_REQUEST_QUIET && asked->kind == APUS_KIND_SYSCALL;
        if (is_quiet) apus_stub_count_end();
        publish(hot, asked, cpu);
        asked->action &= (uint16_t)~APUS_REQUEST_QUIET;
        if (asked->kind == APUS_KIND_SYSCALL) load_state_meanwhile(cold);
        int has_given = 1;
        if (is_quiet) {
            apus_stub_wake_joiner(asked->arguments[4]);
            sleep_for_answer(cold, hot, asked);
        } else {
            has_given = wait_for_answer(cold, hot, cpu, is_expected);
        }
        uint16_t action = hot->action;
        if (action & APUS_ACTION_WAKE) wake_other(hot);
        if (action & APUS_ACTION_TURN) {
            if (!has_given) give_way_once();
            *place = call;
        } else if (is_expected) {
            *place = 0;
        }
        // Before the commands, which can go on with it.
        if (action & APUS_ACTION_FP_AREA) cold->fp_pointer = (uint64_t)cold + APUS_FP_AREA;
        int failed = action & APUS_ACTION_COPY_OUT ? copy_out(cold) : 0;
        if (action & APUS_ACTION_COPY_HERE) failed = copy_here(cold, hot, action);
        if (!failed && (action & APUS_ACTION_COMMANDS)) failed = carry_out_all(cold);
        if (!failed && (action & APUS_ACTION_COMMAND)) failed = carry_out_one(cold, hot);
        if (!failed && !(action & APUS_ACTION_REPORT)) break;
        asked->kind = APUS_KIND_COMMANDS_DONE;
    }
    // The kernel has carried out what was posted before it looked at this.
    cold->posted = 0;
    cold->posted_mappings = 0;
    cold->posted_writes = 0;
    cold->posted_bytes = 0;
    if (!(hot->action & APUS_ACTION_RESTORE_ALL)) cold->registers[APUS_RAX] = hot->value;
    __atomic_store_n(&hot->state, APUS_STATE_GUEST, __ATOMIC_RELEASE);
}

/// Where the tracer sends a thread that has commands to carry out. Their results stand with them.
__attribute__((used)) HIDDEN void apus_stub_on_order(struct apus_cold *cold) {
    // The tracer does not move floating-point state where this can.
    if (!carry_out_all(cold) && cold->fp_pointer) apus_stub_load_floating_point(cold);
    apus_stub_tell();
}

void apus_stub_report_and_run(struct apus_cold *cold) {
    struct apus_hot asked = {.kind = APUS_KIND_READY};
    cold->in_stub = 1;
    apus_stub_converse(cold, &asked);
    if ((cold->registers[APUS_FLAGS] & TRAP_FLAG) || cold->gs_base) apus_stub_leave_by_trap();
    if (cold->fp_pointer) apus_stub_leave();
    apus_stub_leave_live();
}

void apus_stub_report_interrupt(struct apus_cold *cold) {
    cold->interrupt_pending = 0;
    struct apus_hot asked = {.kind = APUS_KIND_INTERRUPTED};
    apus_stub_converse(cold, &asked);
}
