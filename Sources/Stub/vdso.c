// The guest's vDSO as the kernel's side sees it, and how a stub keeps the host's own.
#define _GNU_SOURCE
#include "stub.h"

#include <sys/mman.h>

_Static_assert(sizeof(struct apus_vdso_table) == 64, "one cache line");
_Static_assert(APUS_VDSO_TABLE == 0x7ef000013fc0UL, "vdso.S knows this address");
_Static_assert(sizeof(struct apus_config) <= APUS_STUB_CONFIG_SIZE - sizeof(struct apus_vdso_table),
               "the table stands at the end of the configuration's pages");

extern char __start_apus_vdso[], __stop_apus_vdso[];
extern char apus_vdso_clock_gettime[], apus_vdso_gettimeofday[], apus_vdso_time[], apus_vdso_getcpu[];
extern char apus_vdso_clock_getres[], apus_vdso_end[];

const void *apus_vdso_code(void) { return __start_apus_vdso; }
size_t apus_vdso_code_size(void) { return (size_t)(__stop_apus_vdso - __start_apus_vdso); }

size_t apus_vdso_function(int index) {
    const char *const functions[] = {apus_vdso_clock_gettime, apus_vdso_gettimeofday, apus_vdso_time,
                                     apus_vdso_getcpu,        apus_vdso_clock_getres, apus_vdso_end};
    if (index < 0 || index > APUS_VDSO_FUNCTIONS) return 0;
    return (size_t)(functions[index] - __start_apus_vdso);
}

void apus_host_vdso_add(struct apus_host_vdso *vdso, uint64_t start, uint64_t size) {
    if (vdso->count >= APUS_HOST_VDSO_PARTS) return;
    vdso->start[vdso->count] = start;
    vdso->size[vdso->count++] = size;
}

int apus_stub_keep_host_vdso(const struct apus_host_vdso *vdso) {
    for (uint32_t i = 0; i < vdso->count && i < APUS_HOST_VDSO_PARTS; i++) {
        uint64_t size = vdso->size[i];
        void *target = (void *)(APUS_STUB_HOST_VDSO + (vdso->start[i] - vdso->start[0]));
        if (mremap((void *)vdso->start[i], size, size, MREMAP_MAYMOVE | MREMAP_FIXED, target) != target) return 0;
    }
    return 1;
}
