/*
 * summary: a new program's first stack: where the strings stand, and what the auxiliary vector says
 * calls: execve getuid getgid
 * args: one "two words" ""
 * env: FIRST=1
 * env: EMPTY=
 */
#include "apus.h"
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

extern char **environ;

int main(int count, char **words) {
    /* argc, the arguments, NULL, the environment, NULL, the vector. */
    unsigned long *stack = (unsigned long *)words - 1;
    fact("argc stands at the stack pointer", *stack == (unsigned long)count);
    fact("the stack pointer is a multiple of 16", (unsigned long)stack % 16 == 0);
    number("arguments", count);
    for (int i = 1; i < count; i++) bytes("argument", words[i], strlen(words[i]));
    fact("a NULL ends the arguments", words[count] == NULL);
    fact("the environment follows the arguments", environ == words + count + 1);

    /* The strings stand in order, one after the other. */
    char *next = words[0];
    int together = 1;
    for (int i = 0; i < count; i++) {
        together = together && words[i] == next;
        next = words[i] + strlen(words[i]) + 1;
    }
    fact("the arguments' strings stand together", together);
    int variables = 0;
    for (together = 1; environ[variables]; variables++) {
        together = together && environ[variables] == next;
        next = environ[variables] + strlen(environ[variables]) + 1;
    }
    fact("the environment's strings follow them", together && variables >= 2);

    ElfW(auxv_t) *vector = (ElfW(auxv_t) *)(environ + variables + 1);
    fact("the file's name follows those", getauxval(AT_EXECFN) == (unsigned long)next);
    char *end = next + strlen(next) + 1;
    fact("and eight zero bytes end the stack",
         memcmp(end, "\0\0\0\0\0\0\0", 8) == 0 && (unsigned long)(end + 8) % 4096 == 0);

    static const struct { unsigned long key; const char *name; } keys[] = {
        {AT_SYSINFO_EHDR, "AT_SYSINFO_EHDR"}, {AT_MINSIGSTKSZ, "AT_MINSIGSTKSZ"}, {AT_HWCAP, "AT_HWCAP"},
        {AT_PAGESZ, "AT_PAGESZ"}, {AT_CLKTCK, "AT_CLKTCK"}, {AT_PHDR, "AT_PHDR"}, {AT_PHENT, "AT_PHENT"},
        {AT_PHNUM, "AT_PHNUM"}, {AT_BASE, "AT_BASE"}, {AT_FLAGS, "AT_FLAGS"}, {AT_ENTRY, "AT_ENTRY"},
        {AT_UID, "AT_UID"}, {AT_EUID, "AT_EUID"}, {AT_GID, "AT_GID"}, {AT_EGID, "AT_EGID"}, {AT_SECURE, "AT_SECURE"},
        {AT_RANDOM, "AT_RANDOM"}, {AT_HWCAP2, "AT_HWCAP2"}, {AT_EXECFN, "AT_EXECFN"}, {AT_PLATFORM, "AT_PLATFORM"},
        {27, "AT_RSEQ_FEATURE_SIZE"}, {28, "AT_RSEQ_ALIGN"},
    };
    for (ElfW(auxv_t) *entry = vector; entry->a_type != AT_NULL; entry++) {
        const char *name = "another key";
        for (size_t i = 0; i < COUNT(keys); i++)
            if (keys[i].key == entry->a_type) name = keys[i].name;
        text("the vector has", name);
    }
    number("AT_PAGESZ", getauxval(AT_PAGESZ));
    number("AT_CLKTCK", getauxval(AT_CLKTCK));
    number("AT_PHENT", getauxval(AT_PHENT));
    number("AT_FLAGS", getauxval(AT_FLAGS));
    number("AT_SECURE", getauxval(AT_SECURE));
    text("AT_PLATFORM", (char *)getauxval(AT_PLATFORM));
    fact("AT_UID is getuid", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
    fact("AT_GID is getgid", getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    int loads = 0;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) loads += headers[i].p_type == PT_LOAD;
    fact("AT_PHDR shows this program's segments", loads >= 2);
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    int nonzero = 0;
    for (int i = 0; i < 16; i++) nonzero += random[i] != 0;
    fact("AT_RANDOM is random", nonzero > 4);
    fact("AT_RANDOM and the platform stand above the vector",
         (unsigned long)random > (unsigned long)vector && getauxval(AT_PLATFORM) == (unsigned long)random + 16);
    return 0;
}
