/*
 * The vDSO of this process and its functions, found as vdso(7) says: through the ELF image whose address the auxiliary
 * vector tells, by its hash table, with the version of each symbol.
 */
#ifndef VDSO_H
#define VDSO_H

#include "apus.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>

typedef int (*clock_function)(int, struct timespec *);
static char *image;
static clock_function APUS_UNUSED v_gettime, v_getres;
static int APUS_UNUSED (*v_day)(struct timeval *, void *);
static long APUS_UNUSED (*v_time)(long *);
static int APUS_UNUSED (*v_getcpu)(unsigned *, unsigned *, void *);

/* What the dynamic section says, as offsets in the image. */
static unsigned long dynamic_entry(unsigned long bias, const ElfW(Dyn) *entry, long tag) {
    for (; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == tag) return entry->d_un.d_ptr - (tag == DT_SONAME ? 0 : bias);
    return 0;
}

/*
 * The function of that name; its address is that of the image, and what it is, is printed where that is asked for. For no
 * name the image's own is.
 */
static void *found(const char *name, int prints) {
    const ElfW(Ehdr) *header = (void *)image;
    const ElfW(Phdr) *segment = (void *)(image + header->e_phoff);
    unsigned long bias = 0, dynamic = 0;
    for (int i = 0; i < header->e_phnum; i++) {
        if (segment[i].p_type == PT_LOAD) bias = segment[i].p_vaddr - segment[i].p_offset;
        if (segment[i].p_type == PT_DYNAMIC) dynamic = segment[i].p_offset;
    }
    const ElfW(Dyn) *entries = (void *)(image + dynamic);
    const char *strings = image + dynamic_entry(bias, entries, DT_STRTAB);
    const ElfW(Sym) *symbols = (void *)(image + dynamic_entry(bias, entries, DT_SYMTAB));
    const unsigned *hash = (void *)(image + dynamic_entry(bias, entries, DT_HASH));
    const unsigned short *versions = (void *)(image + dynamic_entry(bias, entries, DT_VERSYM));
    const ElfW(Verdef) *definition = (void *)(image + dynamic_entry(bias, entries, DT_VERDEF));
    if (prints && !*name) text("it calls itself", strings + dynamic_entry(bias, entries, DT_SONAME));
    unsigned code = 0;
    for (const char *c = name; *c; c++) {
        code = (code << 4) + *c;
        code = (code ^ (code >> 24 & 0xf0)) & 0xfffffff;
    }
    for (unsigned i = hash[2 + code % hash[0]]; i; i = hash[2 + hash[0] + i]) {
        if (strcmp(strings + symbols[i].st_name, name)) continue;
        const ElfW(Verdef) *d = definition;
        while ((d->vd_flags & VER_FLG_BASE) || (d->vd_ndx & 0x7fff) != (versions[i] & 0x7fff))
            d = (void *)((char *)d + d->vd_next);
        const char *version = strings + ((ElfW(Verdaux) *)((char *)d + d->vd_aux))->vda_name;
        if (prints)
            line("%s: %s function of version %s", name, ELF64_ST_BIND(symbols[i].st_info) == STB_WEAK ? "a weak" : "a",
                 version);
        return ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC ? image + symbols[i].st_value - bias : NULL;
    }
    return NULL;
}

static void find(void) {
    v_gettime = (clock_function)found("__vdso_clock_gettime", 0);
    v_getres = (clock_function)found("__vdso_clock_getres", 0);
    v_day = (int (*)(struct timeval *, void *))found("__vdso_gettimeofday", 0);
    v_time = (long (*)(long *))found("__vdso_time", 0);
    v_getcpu = (int (*)(unsigned *, unsigned *, void *))found("__vdso_getcpu", 0);
}

static void look_up(void) {
    image = (char *)getauxval(AT_SYSINFO_EHDR);
    if (!image) _exit(99);
    find();
}

static int APUS_UNUSED before(struct timespec a, struct timespec b) {
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* The mappings called [vvar…] and [vdso]: how many, where they begin and end. 0 unless the last has the rights. */
static int APUS_UNUSED mappings(unsigned long begin[8], unsigned long end[8], const char *last_rights) {
    int count = 0, rights = 0;
    char row[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(row, sizeof row, maps)) {
        if (!strstr(row, "[vvar") && !strstr(row, "[vdso]")) continue;
        char access[8];
        if (count < 8 && sscanf(row, "%lx-%lx %7s", &begin[count], &end[count], access) == 3) {
            rights = !strcmp(access, last_rights);
            count++;
        }
    }
    if (maps) fclose(maps);
    return rights ? count : 0;
}

#endif
