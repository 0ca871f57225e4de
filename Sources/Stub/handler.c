// The stub's C half: what runs on the thread's own host-signal stack, inside the guest's address space. No library, no
// thread-local storage, no vector register, position independent: everything stands in the section that is copied.
#define _GNU_SOURCE
#include "stub.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>

#pragma clang section text = "apus_stub" rodata = "apus_stub_forbidden_rodata" data = "apus_stub_forbidden_data" bss = "apus_stub_forbidden_bss"

#define CONFIG ((volatile const struct apus_config *)APUS_STUB_CONFIG)
#define DOORBELL ((struct apus_doorbell *)APUS_STUB_DOORBELL)
#define INTERRUPT_SIGNAL SIGCHLD

#define HIDDEN __attribute__((visibility("hidden")))
extern HIDDEN char apus_stub_leave_begin[], apus_stub_leave_end[];
extern HIDDEN char apus_stub_copy_begin[], apus_stub_copy_end[], apus_stub_string_begin[], apus_stub_string_end[];
extern HIDDEN char apus_stub_zero_begin[], apus_stub_zero_end[];
extern HIDDEN char apus_stub_update_begin[], apus_stub_update_end[];
extern HIDDEN char apus_stub_trapped[];
HIDDEN void apus_stub_leave(void) __attribute__((noreturn));
HIDDEN void apus_stub_leave_by_trap(void) __attribute__((noreturn));
HIDDEN long apus_stub_clone_thread(uint64_t flags, uint64_t stack, uint32_t *alive, struct apus_cold *block, void *function);
HIDDEN long apus_stub_clone_process(uint64_t flags, long contexts, long socket, struct apus_cold *block, void *function);
HIDDEN long apus_stub_copy(void *destination, const void *source, size_t count);
HIDDEN long apus_stub_copy_string(char *destination, const char *source, size_t limit);
HIDDEN long apus_stub_zero(void *destination, size_t count);
HIDDEN long apus_stub_update(const uint64_t *arguments);

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

static inline uint32_t current_cpu(void) {
    uint64_t result;
    __asm__ volatile("rdpid %0" : "=r"(result));
    return result & 0xff;
}

static inline uint64_t ticks(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline struct apus_hot *hot_line(struct apus_cold *cold) {
    uint64_t slot = ((uint64_t)cold - APUS_STUB_CONTEXTS) / APUS_BLOCK_SIZE - 1;
    return (struct apus_hot *)(APUS_STUB_CONTEXTS + slot * sizeof(struct apus_hot));
}

// --- Asking and waiting -----------------------------------------------------------------------------------------------

static void publish(struct apus_hot *hot) {
    hot->cpu = (uint8_t)current_cpu();
    // A full barrier between the request and the look at the kernel's sleep flag; the kernel does the reverse.
    __atomic_exchange_n(&hot->state, APUS_STATE_REQUEST, __ATOMIC_SEQ_CST);
    if (CONFIG->kernel_sleeps) {
        __atomic_add_fetch(&DOORBELL->word, 1, __ATOMIC_SEQ_CST);
        host_call(SYS_futex, (long)&DOORBELL->word, FUTEX_WAKE, 1, 0, 0, 0);
    }
}

static void wait_for_answer(struct apus_cold *cold, struct apus_hot *hot) {
    // Spinning on the kernel's own processor would only keep it from answering.
    if (CONFIG->spin_ticks && CONFIG->kernel_cpu != current_cpu()) {
        uint64_t start = ticks();
        uint64_t budget = CONFIG->spin_ticks;
        do {
            for (int i = 0; i < 32; i++) {
                uint32_t state = __atomic_load_n(&hot->state, __ATOMIC_ACQUIRE);
                if (state == APUS_STATE_DONE) return;
                if (state == APUS_STATE_BLOCK) goto sleep;
                __asm__ volatile("pause");
            }
        } while (ticks() - start < budget);
    }
sleep:
    __atomic_exchange_n(&cold->stub_sleeps, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        uint32_t state = __atomic_load_n(&hot->state, __ATOMIC_ACQUIRE);
        if (state == APUS_STATE_DONE) break;
        host_call(SYS_futex, (long)&hot->state, FUTEX_WAIT, state, 0, 0, 0);
    }
    __atomic_store_n(&cold->stub_sleeps, 0, __ATOMIC_SEQ_CST);
}

// --- Commands ---------------------------------------------------------------------------------------------------------

static void start_common(struct apus_cold *cold) {
    __asm__ volatile("wrgsbase %0" ::"r"((uint64_t)cold));
    // User dispatch is not inherited. PR_SET_SYSCALL_USER_DISPATCH, on, with the stub's own code left out.
    host_call(SYS_prctl, 59, 1, APUS_STUB_BASE, APUS_STUB_CODE_SIZE, 0, 0);
}

static void report_and_run(struct apus_cold *cold) __attribute__((noreturn));

static void start_thread(struct apus_cold *cold) __attribute__((noreturn));
static void start_thread(struct apus_cold *cold) {
    stack_t stack = {(char *)cold + APUS_STACK, 0, APUS_STACK_SIZE};
    host_call(SYS_sigaltstack, (long)&stack, 0, 0, 0, 0, 0);
    start_common(cold);
    report_and_run(cold);
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
    start_common(cold);
    report_and_run(cold);
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

static long carry_out(struct apus_cold *cold, struct apus_command *command) {
    uint64_t *a = command->arguments;
    switch (command->number) {
    case APUS_COMMAND_RECEIVE: {
        int32_t descriptor = -1;
        long count = receive(&descriptor, 1);
        cold->received = descriptor;
        return count == 1 ? 0 : count < 0 ? count : -5;
    }
    case APUS_COMMAND_MAP:
        return host_call(SYS_mmap, a[0], a[1], a[2], a[3], cold->received, a[5]);
    case APUS_COMMAND_CLOSE:
        return host_call(SYS_close, cold->received, 0, 0, 0, 0, 0);
    case APUS_COMMAND_ZERO:
        return apus_stub_zero((void *)a[0], a[1]) == 0 ? 0 : -14;
    case APUS_COMMAND_UNMAP_ALL: {
        long result = host_call(SYS_munmap, 0, APUS_STUB_BASE, 0, 0, 0, 0);
        if (result < 0) return result;
        return host_call(SYS_munmap, APUS_STUB_END, APUS_HOST_TASK_SIZE - APUS_STUB_END, 0, 0, 0, 0);
    }
    case APUS_COMMAND_NEW_THREAD: {
        struct apus_cold *block = (struct apus_cold *)(APUS_STUB_CONTEXTS + APUS_BLOCK_SIZE * (a[0] + 1));
        // CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | CHILD_CLEARTID
        return apus_stub_clone_thread(0x250f00, (uint64_t)block + APUS_BLOCK_SIZE - 64, &block->alive, block,
                                      start_thread);
    }
    case APUS_COMMAND_NEW_PROCESS: {
        struct apus_cold *block = (struct apus_cold *)(APUS_STUB_CONTEXTS + APUS_BLOCK_SIZE * (a[0] + 1));
        int32_t both[2];
        long count = receive(both, 2);
        if (count != 2) return count < 0 ? count : -5;
        // CLONE_PARENT | SIGCHLD: every stub is a child of the kernel itself.
        long result = apus_stub_clone_process(0x8000 | SIGCHLD, both[0], both[1], block, start_process);
        host_call(SYS_close, both[0], 0, 0, 0, 0, 0);
        host_call(SYS_close, both[1], 0, 0, 0, 0, 0);
        return result;
    }
    case APUS_COMMAND_EXIT_THREAD:
        return host_call(SYS_exit, 0, 0, 0, 0, 0, 0);
    case APUS_COMMAND_UPDATE_WORD:
        return apus_stub_update(a);
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

/// Copies the results of the call to guest memory. True if an address was bad: the kernel must hear of it.
static int copy_out(struct apus_cold *cold) {
    uint32_t count = cold->out_count;
    if (count > APUS_MAX_PAYLOADS) count = APUS_MAX_PAYLOADS;
    for (uint32_t i = 0; i < count; i++) {
        struct apus_payload *out = &cold->out[i];
        uint32_t offset = out->offset, size = out->count;
        if (offset > APUS_BOUNCE_SIZE || size > APUS_BOUNCE_SIZE - offset) break;
        if (apus_stub_copy((void *)out->address, (char *)cold + APUS_BOUNCE + offset, size) != 0) {
            cold->out_fault = 1;
            return 1;
        }
    }
    return 0;
}

/// Asks the kernel and does what it answers, until it lets the guest go on.
static void converse(struct apus_cold *cold) {
    struct apus_hot *hot = hot_line(cold);
    for (;;) {
        publish(hot);
        wait_for_answer(cold, hot);
        uint16_t action = hot->action;
        int failed = action & APUS_ACTION_COPY_OUT ? copy_out(cold) : 0;
        if (!failed && (action & APUS_ACTION_COMMANDS)) failed = carry_out_all(cold);
        if (action & APUS_ACTION_FP_AREA) cold->fp_pointer = (uint64_t)cold + APUS_FP_AREA;
        if (!failed && !(action & APUS_ACTION_REPORT)) break;
        hot->kind = APUS_KIND_COMMANDS_DONE;
    }
    if (!(hot->action & APUS_ACTION_RESTORE_ALL)) cold->registers[APUS_RAX] = hot->value;
    __atomic_store_n(&hot->state, APUS_STATE_GUEST, __ATOMIC_RELEASE);
}

static void report_and_run(struct apus_cold *cold) {
    struct apus_hot *hot = hot_line(cold);
    cold->in_stub = 1;
    hot->kind = APUS_KIND_READY;
    converse(cold);
    if (cold->gs_base) apus_stub_leave_by_trap();
    apus_stub_leave();
}

__attribute__((used)) HIDDEN void apus_stub_report_interrupt(struct apus_cold *cold) {
    cold->interrupt_pending = 0;
    hot_line(cold)->kind = APUS_KIND_INTERRUPTED;
    converse(cold);
}

// --- Host signals -----------------------------------------------------------------------------------------------------

/// Copies what the call points at next to it, as the rules from the table say.
static void copy_in(struct apus_cold *cold, struct apus_hot *hot) {
    uint32_t used = 0, count = 0;
    char *bounce = (char *)cold + APUS_BOUNCE;
    if (hot->value < APUS_RULED_CALLS) {
        for (int i = 0; i < APUS_RULES_PER_CALL; i++) {
            volatile const struct apus_payload_rule *rule = &CONFIG->rules[hot->value][i];
            if (rule->pointer > 5) break;
            uint64_t address = hot->arguments[rule->pointer];
            uint64_t room = APUS_BOUNCE_SIZE - used;
            uint64_t size = rule->size;
            if (!address) continue;
            if (rule->extent == APUS_EXTENT_STRING) {
                // Only within one page more: the kernel fetches what is longer.
                uint64_t limit = room < 4096 ? room : 4096;
                long got = apus_stub_copy_string(bounce + used, (const char *)address, limit);
                if (got <= 0) continue;
                size = (uint64_t)got;
            } else {
                if (rule->extent == APUS_EXTENT_COUNTED) {
                    uint64_t times = hot->arguments[rule->counter > 5 ? 0 : rule->counter];
                    if (times == 0 || times > APUS_BOUNCE_SIZE) continue;
                    size *= times;
                }
                if (size == 0 || size > room) continue;
                if (apus_stub_copy(bounce + used, (const void *)address, size) != 0) continue;
            }
            cold->in[count].address = address;
            cold->in[count].count = (uint32_t)size;
            cold->in[count].offset = used;
            count++;
            used = (used + (uint32_t)size + 15) & ~15u;
            if (used >= APUS_BOUNCE_SIZE) break;
        }
    }
    hot->action = (uint16_t)count;
}

static void save_registers(struct apus_cold *cold, const greg_t *g, uint64_t fs_base) {
    uint64_t *r = cold->registers;
    r[APUS_R15] = g[REG_R15];
    r[APUS_R14] = g[REG_R14];
    r[APUS_R13] = g[REG_R13];
    r[APUS_R12] = g[REG_R12];
    r[APUS_RBP] = g[REG_RBP];
    r[APUS_RBX] = g[REG_RBX];
    r[APUS_R11] = g[REG_R11];
    r[APUS_R10] = g[REG_R10];
    r[APUS_R9] = g[REG_R9];
    r[APUS_R8] = g[REG_R8];
    r[APUS_RAX] = g[REG_RAX];
    r[APUS_ORIGINAL_RAX] = g[REG_RAX];
    r[APUS_RCX] = g[REG_RCX];
    r[APUS_RDX] = g[REG_RDX];
    r[APUS_RSI] = g[REG_RSI];
    r[APUS_RDI] = g[REG_RDI];
    r[APUS_RIP] = g[REG_RIP];
    r[APUS_FLAGS] = g[REG_EFL];
    r[APUS_RSP] = g[REG_RSP];
    r[APUS_FS_BASE] = fs_base;
}

#define TRAP_FLAG 0x100u

/// Holds interrupts back until the host's return from the signal lets them in again, and reports one that has come.
static void hold_interrupts(struct apus_cold *cold) {
    uint64_t set = 1ul << (INTERRUPT_SIGNAL - 1);
    for (;;) {
        host_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, 0, 8, 0, 0);
        if (!cold->interrupt_pending) return;
        host_call(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&set, 0, 8, 0, 0);
        apus_stub_report_interrupt(cold);
    }
}

/// Leaves by the host's own return from the signal, which alone can set the trap flag so that nothing before the guest's
/// next instruction is trapped, and does not need %gs to the last. The frame gets the block's registers and
/// floating-point state.
static void leave_by_frame(struct apus_cold *cold, ucontext_t *user) {
    if (cold->gs_base) hold_interrupts(cold);
    const uint64_t *r = cold->registers;
    greg_t *g = user->uc_mcontext.gregs;
    g[REG_R15] = (greg_t)r[APUS_R15];
    g[REG_R14] = (greg_t)r[APUS_R14];
    g[REG_R13] = (greg_t)r[APUS_R13];
    g[REG_R12] = (greg_t)r[APUS_R12];
    g[REG_RBP] = (greg_t)r[APUS_RBP];
    g[REG_RBX] = (greg_t)r[APUS_RBX];
    g[REG_R11] = (greg_t)r[APUS_R11];
    g[REG_R10] = (greg_t)r[APUS_R10];
    g[REG_R9] = (greg_t)r[APUS_R9];
    g[REG_R8] = (greg_t)r[APUS_R8];
    g[REG_RAX] = (greg_t)r[APUS_RAX];
    g[REG_RCX] = (greg_t)r[APUS_RCX];
    g[REG_RDX] = (greg_t)r[APUS_RDX];
    g[REG_RSI] = (greg_t)r[APUS_RSI];
    g[REG_RDI] = (greg_t)r[APUS_RDI];
    g[REG_RIP] = (greg_t)r[APUS_RIP];
    g[REG_EFL] = (greg_t)r[APUS_FLAGS];
    g[REG_RSP] = (greg_t)r[APUS_RSP];
    char *frame = (char *)user->uc_mcontext.fpregs;
    const char *state = (const char *)cold->fp_pointer;
    if (state != frame) {
        // Not the 48 bytes in which the host describes its frame.
        uint64_t size = CONFIG->fp_size;
        if (size > APUS_FP_AREA_SIZE) size = APUS_FP_AREA_SIZE;
        apus_stub_copy(frame, state, 464);
        if (size > 512) apus_stub_copy(frame + 512, state + 512, size - 512);
    }
    __asm__ volatile("wrfsbase %0" ::"r"(r[APUS_FS_BASE]));
    // An interrupt from here on waits until the guest has made its one step, or the host has let it in.
    cold->in_stub = 0;
    if (cold->gs_base) __asm__ volatile("wrgsbase %0" ::"r"(cold->gs_base));
}

/// A fault in one of the stub's own copies ends the copy, not the guest.
static int recover_copy(greg_t *g) {
    uint64_t rip = (uint64_t)g[REG_RIP];
    if (rip >= (uint64_t)apus_stub_copy_begin && rip < (uint64_t)apus_stub_copy_end)
        g[REG_RIP] = (greg_t)apus_stub_copy_end;
    else if (rip >= (uint64_t)apus_stub_zero_begin && rip < (uint64_t)apus_stub_zero_end)
        g[REG_RIP] = (greg_t)apus_stub_zero_end;
    else if (rip >= (uint64_t)apus_stub_string_begin && rip < (uint64_t)apus_stub_string_end)
        g[REG_RIP] = (greg_t)apus_stub_string_end;
    else if (rip >= (uint64_t)apus_stub_update_begin && rip < (uint64_t)apus_stub_update_end)
        g[REG_RIP] = (greg_t)apus_stub_update_end;
    else
        return 0;
    return 1;
}

__attribute__((used)) HIDDEN void apus_stub_on_signal(int signal, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    uint64_t stack;
    __asm__("mov %%rsp, %0" : "=r"(stack));
    struct apus_cold *cold = (struct apus_cold *)(stack & ~(APUS_BLOCK_SIZE - 1));
    struct apus_hot *hot = hot_line(cold);
    greg_t *g = user->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)g[REG_RIP];
    uint64_t fs_base, gs_base;
    int in_stub_code = rip >= APUS_STUB_BASE && rip < APUS_STUB_BASE + APUS_STUB_CODE_SIZE;

    __asm__ volatile("rdfsbase %0" : "=r"(fs_base));
    __asm__ volatile("rdgsbase %0" : "=r"(gs_base));
    // The guest can have a %gs of its own; nothing of ours may follow that. It comes back when the stub leaves.
    if (gs_base != (uint64_t)cold) {
        __asm__ volatile("wrgsbase %0" ::"r"((uint64_t)cold));
        cold->gs_base = gs_base;
    }
    if (signal == SIGTRAP && rip == (uint64_t)apus_stub_trapped) {
        leave_by_frame(cold, user);
        return;
    }

    int saved = 0;
    if (signal == INTERRUPT_SIGNAL) {
        if (cold->in_stub) {
            cold->interrupt_pending = 1;
            return;
        }
        if (in_stub_code) {
            if (rip < (uint64_t)apus_stub_leave_begin || rip >= (uint64_t)apus_stub_leave_end) {
                cold->interrupt_pending = 1;
                return;
            }
            // On the way out: the block still holds every register, and the live vector registers are the guest's.
            saved = 1;
        }
    } else if (in_stub_code && signal != SIGSYS && recover_copy(g)) {
        return;
    }
    if (!saved) save_registers(cold, g, fs_base);
    cold->signal = (uint32_t)signal;
    cold->signal_code = info->si_code;
    cold->fp_pointer = (uint64_t)user->uc_mcontext.fpregs;
    if (signal == SIGSYS) {
        // AUDIT_ARCH_X86_64
        hot->kind = (uint32_t)info->si_arch == 0xc000003eu ? APUS_KIND_SYSCALL : APUS_KIND_FOREIGN_CALL;
        hot->value = (uint64_t)(uint32_t)info->si_syscall;
        hot->arguments[0] = (uint64_t)g[REG_RDI];
        hot->arguments[1] = (uint64_t)g[REG_RSI];
        hot->arguments[2] = (uint64_t)g[REG_RDX];
        hot->arguments[3] = (uint64_t)g[REG_R10];
        hot->arguments[4] = (uint64_t)g[REG_R8];
        hot->arguments[5] = (uint64_t)g[REG_R9];
        cold->call_address = (uint64_t)info->si_call_addr;
    } else if (signal == INTERRUPT_SIGNAL) {
        hot->kind = APUS_KIND_INTERRUPTED;
        cold->interrupt_pending = 0;
    } else {
        hot->kind = APUS_KIND_FAULT;
        cold->fault_address = (uint64_t)info->si_addr;
        cold->fault_error = (uint64_t)g[REG_ERR];
        cold->fault_trap = (uint64_t)g[REG_TRAPNO];
    }
    cold->in_stub = 1;
    if (signal == SIGSYS) copy_in(cold, hot);
    converse(cold);
    if ((cold->registers[APUS_FLAGS] & TRAP_FLAG) || cold->gs_base) {
        leave_by_frame(cold, user);
        return;
    }
    apus_stub_leave();
}

/// Where a fresh template begins, on its own host-signal stack.
__attribute__((used)) HIDDEN void apus_stub_first(struct apus_cold *cold) {
    start_common(cold);
    report_and_run(cold);
}
