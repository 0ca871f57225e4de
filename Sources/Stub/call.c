// System calls on their way to the kernel: what is copied next to them, what the stub answers itself, and the way in for
// sites that were patched, which needs no host signal.
#include "begin.h"
#include "internal.h"
#include "writes.h"

/// Copies what the call points at next to it, as the rules from the table say.
static void copy_in(struct apus_cold *cold, struct apus_hot *hot) {
    uint32_t used = 0, count = 0;
    char *bounce = (char *)cold + APUS_BOUNCE;
    if (hot->value < APUS_RULED_CALLS) {
        for (int i = 0; i < APUS_RULES_PER_CALL; i++) {
            volatile const struct apus_payload_rule *rule = &CONFIG->rules[hot->value][i];
            uint32_t pointer = rule->pointer;
            if (pointer > APUS_ROBUST_LIST) break;
            uint64_t address = pointer == APUS_STACK_POINTER ? cold->registers[APUS_RSP]
                               : pointer == APUS_ROBUST_LIST ? cold->robust_list
                                                             : hot->arguments[pointer];
            uint64_t room = APUS_BOUNCE_SIZE - used;
            uint64_t size = rule->size;
            if (!address) continue;
            // The first payload stands beside the list if it is small.
            int beside = 0;
            if (rule->extent == APUS_EXTENT_STRING) {
                // Only within one page more: the kernel fetches what is longer.
                uint64_t limit = room < 4096 ? room : 4096;
                long got = 0;
                uint32_t free = rule->counter;
                if (free > 0 && free < 6 && i == 0) {
                    got = apus_stub_copy_string((char *)&hot->arguments[free], (const char *)address, 8 * (6 - free));
                    if (got > 0) {
                        apus_stub_keep_name(cold, (const char *)&hot->arguments[free], got);
                        hot->action |= (uint16_t)((uint32_t)got << APUS_REQUEST_STRING_SHIFT);
                        continue;
                    }
                    got = 0;
                }
                if (count == 0) got = apus_stub_copy_string((char *)cold->in_bytes, (const char *)address, APUS_IN_BESIDE_SIZE);
                beside = got > 0;
                if (!beside) got = apus_stub_copy_string(bounce + used, (const char *)address, limit);
                if (got <= 0) {
                    // What stood there is not this call's name.
                    if (count == 0) cold->in_bytes[0] = 0;
                    continue;
                }
                size = (uint64_t)got;
            } else {
                if (rule->extent == APUS_EXTENT_COUNTED) {
                    uint64_t times = hot->arguments[rule->counter > 5 ? 0 : rule->counter];
                    if (times == 0 || times > APUS_BOUNCE_SIZE) continue;
                    size *= times;
                }
                if (size == 0 || size > room) continue;
                beside = count == 0 && size <= APUS_IN_BESIDE_SIZE;
                char *target = beside ? (char *)cold->in_bytes : bounce + used;
                if (apus_stub_copy(target, (const void *)address, size) != 0) continue;
            }
            cold->in[count].address = address;
            cold->in[count].count = (uint32_t)size;
            cold->in[count].offset = beside ? APUS_BESIDE : used;
            count++;
            if (beside) continue;
            used = (used + (uint32_t)size + 15) & ~15u;
            if (used >= APUS_BOUNCE_SIZE) break;
        }
    }
    hot->action |= (uint16_t)count;
}

/// Answers a call whose result the kernel has left with the process, or that is the stub's own, which needs the arguments.
/// False if the kernel must be asked.
static int answers(struct apus_cold *cold, uint64_t number, const uint64_t *arguments, uint64_t *result) {
    if (number >= APUS_RULED_CALLS) return 0;
    uint8_t index = CONFIG->local_answers[number];
    if (number == SYS_madvise) return arguments && apus_stub_advise(arguments, result);
    if (index == APUS_LOCAL_PWRITE) return arguments && apus_stub_write_call(cold, arguments, result);
    if (index == APUS_LOCAL_PROTECT) return arguments && apus_stub_mapping_call(cold, index, arguments, result);
    if (index >= APUS_LOCAL_BREAK && index <= APUS_LOCAL_PRLIMIT)
        return arguments && apus_stub_begin_call(cold, index, arguments, result);
    if (index == 0 || index >= APUS_LOCAL_ANSWERS || index == APUS_LOCAL_FUTEX) return 0;
    if (index == APUS_LOCAL_MASK || index == APUS_LOCAL_ROBUST || (index >= APUS_LOCAL_READ && index < APUS_LOCAL_SIGRETURN))
        return arguments && apus_stub_own_call(cold, index, arguments, result);
    if (index >= APUS_LOCAL_SIGRETURN && index <= APUS_LOCAL_TGKILL)
        return arguments ? apus_stub_signal_call(cold, index, arguments) : 0;
    if (index >= APUS_LOCAL_CLOSE && index <= APUS_LOCAL_GETDENTS)
        return arguments && (apus_stub_card_call(cold, index, arguments, result) ||
                             (index == APUS_LOCAL_STATAT && apus_stub_name_at_call(arguments, result)));
    if (!ANSWERS[index].is_valid) return 0;
    *result = index == APUS_LOCAL_YIELD ? (uint64_t)host_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0) : ANSWERS[index].value;
    return 1;
}

/// Has the call carried out that `hot` describes, by the kernel if `is_hot`. Not 0 if it was not asked; APUS_ANSWERED_ALL if more
/// than rax has changed.
int apus_stub_call(struct apus_cold *cold, struct apus_hot *hot, int is_hot) {
    uint64_t *result = &cold->registers[APUS_RAX];
    int answered = is_hot ? 0 : answers(cold, hot->value, hot->arguments, result);
    if (answered) return answered;
    hot->action = 0;
    int is_futex = apus_stub_is_futex(hot->value);
    if (is_futex && apus_stub_futex(cold, hot, is_hot, result)) return 1;
    copy_in(cold, hot);
    if (is_hot) hot->action |= APUS_REQUEST_HOT_SITE;
    if (cold->mask_moved) {
        cold->mask_moved = 0;
        hot->action |= APUS_REQUEST_MASK;
    }
    if (hot->value == SYS_exit) hot->action |= apus_stub_end(cold, hot);
    apus_stub_converse(cold, hot);
    if (is_futex) apus_stub_uncount_wait(cold);
    return 0;
}

/// A call from a patched site: the guest's registers stand in the block, its floating-point state is live. Returns where
/// nothing but rax changes.
__attribute__((used)) HIDDEN void apus_stub_on_call(struct apus_cold *cold) {
    uint64_t *r = cold->registers;
    uint64_t number = (uint32_t)r[APUS_RAX];
    if (answers(cold, number, 0, &r[APUS_RAX])) return;
    struct apus_hot call;
    call.kind = APUS_KIND_SYSCALL;
    call.value = number;
    call.arguments[0] = r[APUS_RDI];
    call.arguments[1] = r[APUS_RSI];
    call.arguments[2] = r[APUS_RDX];
    call.arguments[3] = r[APUS_R10];
    call.arguments[4] = r[APUS_R8];
    call.arguments[5] = r[APUS_R9];
    cold->fp_pointer = 0;
    int answered = apus_stub_call(cold, &call, 0);
    if ((r[APUS_FLAGS] & TRAP_FLAG) || cold->gs_base) apus_stub_leave_by_trap();
    if (answered ? answered != APUS_ANSWERED_ALL : !(hot_line(cold)->action & APUS_ACTION_RESTORE_ALL)) return;
    if (cold->fp_pointer) apus_stub_leave();
    apus_stub_leave_live();
}
