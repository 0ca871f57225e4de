// The floating-point state on its way into a signal frame and back. It stays in the guest's address space: only where it
// goes is the kernel's to say.
#include "internal.h"

#define LEGACY_SIZE 512u
#define SOFTWARE 464u
#define HEADER_SIZE 64u
#define MXCSR 24u
#define MXCSR_MASK 0xffffu
#define MAGIC1 0x46505853u
#define MAGIC2 0x46505845u
#define FAULT (-14)
/// Protection keys: a handler keeps the rights that the process set.
#define PROTECTION_KEYS (1ul << 9)

/// `struct _fpx_sw_bytes`, with its padding.
struct software_bytes {
    uint32_t magic, extended_size;
    uint64_t features;
    uint32_t size;
    uint32_t padding[7];
};

static uint64_t state_size(void) {
    uint64_t size = CONFIG->fp_size;
    return size < LEGACY_SIZE + HEADER_SIZE ? LEGACY_SIZE + HEADER_SIZE : size > APUS_FP_AREA_SIZE ? APUS_FP_AREA_SIZE : size;
}

/// Makes a state the initial one; of the components' bits only `kept` stay. The software bytes stay, too.
static void make_initial(char *state, uint64_t kept) {
    apus_stub_zero(state, 28);
    apus_stub_zero(state + 32, SOFTWARE - 32);
    *(uint16_t *)state = 0x37f;
    *(uint32_t *)(state + MXCSR) = 0x1f80;
    uint64_t *header = (uint64_t *)(state + LEGACY_SIZE);
    header[0] &= kept;
    apus_stub_zero((char *)(header + 1), HEADER_SIZE - 8);
}

/// From the registers, as Linux does it: x87 and SSE are always present, so that a handler can change them.
static long store_live(char *address) {
    uint64_t present;
    if (apus_stub_zero(address + LEGACY_SIZE, HEADER_SIZE) || apus_stub_xsave(address, CONFIG->fp_mask) ||
        apus_stub_copy(&present, address + LEGACY_SIZE, sizeof present))
        return FAULT;
    present |= 3;
    return apus_stub_copy(address + LEGACY_SIZE, &present, sizeof present) ? FAULT : 0;
}

/// Puts the guest's state to `address`, as a signal frame has it.
long apus_stub_store_state(struct apus_cold *cold, char *address) {
    const char *state = (const char *)cold->fp_pointer;
    uint64_t size = state_size();
    struct software_bytes software;
    software.magic = MAGIC1;
    software.extended_size = (uint32_t)size + 4;
    software.features = CONFIG->fp_mask;
    software.size = (uint32_t)size;
    for (int i = 0; i < 7; i++) *(volatile uint32_t *)&software.padding[i] = 0;
    uint32_t end = MAGIC2;
    if (!state) {
        if (store_live(address)) return FAULT;
    } else if (apus_stub_copy(address, state, SOFTWARE) ||
               apus_stub_copy(address + LEGACY_SIZE, state + LEGACY_SIZE, size - LEGACY_SIZE)) {
        return FAULT;
    }
    return apus_stub_copy(address + SOFTWARE, &software, sizeof software) || apus_stub_copy(address + size, &end, sizeof end)
               ? FAULT
               : 0;
}

/// Gives the guest a fresh state.
void apus_stub_begin_state(struct apus_cold *cold) {
    if (cold->fp_pointer) make_initial((char *)cold->fp_pointer, PROTECTION_KEYS);
    else apus_stub_xrstor_from(apus_stub_initial_state, CONFIG->fp_mask & ~PROTECTION_KEYS);
}

/// Both.
long apus_stub_push_state(struct apus_cold *cold, char *address) {
    if (apus_stub_store_state(cold, address)) return FAULT;
    apus_stub_begin_state(cold);
    return 0;
}

/// Loads a frame's state where it is, if it describes itself as `apus_stub_store_state` has described it.
int apus_stub_take_state(struct apus_cold *cold, const char *address) {
    struct {
        struct software_bytes software;
        uint64_t header[HEADER_SIZE / 8];
    } seen;
    uint64_t size = state_size();
    uint32_t control, end;
    if (!address || (uint64_t)address % 64 || (uint64_t)address > APUS_STUB_BASE - 2 * APUS_FP_AREA_SIZE ||
        apus_stub_copy(&seen, address + SOFTWARE, sizeof seen) || apus_stub_copy(&control, address + MXCSR, sizeof control) ||
        apus_stub_copy(&end, address + size, sizeof end))
        return 0;
    if (seen.software.magic != MAGIC1 || seen.software.extended_size != size + 4 || seen.software.size != size ||
        seen.software.features != CONFIG->fp_mask || end != MAGIC2 || (control & ~MXCSR_MASK) ||
        (seen.header[0] & ~CONFIG->fp_mask))
        return 0;
    for (int i = 1; i < 8; i++)
        if (seen.header[i]) return 0;
    // What a sibling changes meanwhile the processor takes or refuses.
    if (apus_stub_xrstor_from(address, CONFIG->fp_mask)) return 0;
    cold->fp_pointer = 0;
    return 1;
}

/// Makes the guest's state what a signal frame has at `address`; the initial one without an address. -EFAULT for what cannot
/// be read, and for what the processor would refuse.
long apus_stub_load_state(struct apus_cold *cold, const char *address) {
    char *state = (char *)cold + APUS_FP_AREA;
    uint64_t *header = (uint64_t *)(state + LEGACY_SIZE);
    if (!address) {
        make_initial(state, 0);
        cold->fp_pointer = (uint64_t)state;
        return 0;
    }
    uint64_t size = state_size();
    if (apus_stub_copy(state, address, LEGACY_SIZE)) return FAULT;
    if (*(uint32_t *)(state + MXCSR) & ~MXCSR_MASK) return FAULT;
    const struct software_bytes *software = (const struct software_bytes *)(state + SOFTWARE);
    uint64_t promised = software->size, features = software->features;
    // What other numbers than the kernel's own promise is not there; then the legacy part counts alone.
    int is_whole = software->magic == MAGIC1 && promised >= LEGACY_SIZE + HEADER_SIZE && promised <= size &&
                   promised <= software->extended_size;
    if (is_whole) {
        uint32_t end;
        if (apus_stub_copy(state + LEGACY_SIZE, address + LEGACY_SIZE, promised - LEGACY_SIZE) ||
            apus_stub_copy(&end, address + promised, sizeof end))
            return FAULT;
        is_whole = end == MAGIC2;
    }
    // As the processor asks for it where it loads the state.
    if ((uint64_t)address % (is_whole ? 64 : 16)) return FAULT;
    if (!is_whole) {
        header[0] = 3;
    } else {
        if ((header[0] & ~CONFIG->fp_mask) || header[1] || header[2]) return FAULT;
        header[0] &= features;
        // xrstor loads it with either of SSE and AVX, present or not.
        if (!(features & 6)) *(uint32_t *)(state + MXCSR) = 0x1f80;
    }
    apus_stub_zero((char *)(header + 1), HEADER_SIZE - 8);
    cold->fp_pointer = (uint64_t)state;
    return 0;
}
