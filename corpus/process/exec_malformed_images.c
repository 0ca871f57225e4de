/*
 * summary: what execve says of malformed ELF images and interpreters, and which of them kill the process instead
 * calls: execve wait4
 * timeout: 60
 */
#include "apus.h"
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

/* mov eax, 60; mov edi, 42; syscall */
static const unsigned char code[] = {0xb8, 60, 0, 0, 0, 0xbf, 42, 0, 0, 0, 0x0f, 0x05};
enum { CODE = 0x400, PATH = 0x300, FIXED = 0x400000 };
static const char interpreter_path[] = "./interpreter";

/* A file as it is to be written. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[8];
    const char *path; /* of an interpreter; stands at PATH */
    size_t size;      /* of the file */
};

/* A program of one segment, at FIXED or (0) wherever the kernel likes. */
static struct image program(uint64_t address) {
    struct image image;
    memset(&image, 0, sizeof image);
    memcpy(image.header.e_ident, ELFMAG "\2\1\1", 7);
    image.header.e_type = address ? ET_EXEC : ET_DYN;
    image.header.e_machine = EM_X86_64;
    image.header.e_version = 1;
    image.header.e_entry = address + CODE;
    image.header.e_phoff = sizeof(Elf64_Ehdr);
    image.header.e_ehsize = sizeof(Elf64_Ehdr);
    image.header.e_phentsize = sizeof(Elf64_Phdr);
    image.header.e_phnum = 1;
    image.size = CODE + sizeof code;
    image.segments[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, address, address, image.size, image.size, 4096};
    return image;
}

/* One that names an interpreter, in its first program header. */
static struct image dynamic(uint64_t address) {
    struct image image = program(address);
    image.path = interpreter_path;
    image.header.e_phnum = 2;
    image.segments[1] = image.segments[0];
    image.segments[0] =
        (Elf64_Phdr){PT_INTERP, PF_R, PATH, address + PATH, address + PATH, sizeof interpreter_path,
                     sizeof interpreter_path, 1};
    return image;
}

static void put(const char *name, const struct image *image) {
    static unsigned char file[1 << 17];
    memset(file, 0, sizeof file);
    memcpy(file + sizeof image->header, image->segments, sizeof image->segments);
    memcpy(file, &image->header, sizeof image->header);
    if (image->path) memcpy(file + PATH, image->path, strlen(image->path) + 1);
    memcpy(file + CODE, code, sizeof code);
    unlink(name);
    int fd = must("open", open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
    must("write", write(fd, file, image->size));
    must("close", close(fd));
}

static void try(const char *what, struct image image) {
    put("program", &image);
    pid_t child = must("fork", fork());
    if (child == 0) {
        char *words[] = {"program", NULL}, *none[] = {NULL};
        result(what, execve("./program", words, none));
        _exit(9);
    }
    wait_status(what, wait_for(child));
}

/* A sound program with this interpreter. */
static void interpreted(const char *what, struct image image) {
    put("interpreter", &image);
    try(what, dynamic(0));
}

#define WITH(start, ...) ({ struct image image = start; __VA_ARGS__; image; })
#define FIRST image.segments[0]
#define ADD(...) (image.segments[image.header.e_phnum++] = (Elf64_Phdr)__VA_ARGS__)

int main(void) {
    no_core();
    struct image sound = program(0);
    put("interpreter", &sound);

    try("a fixed program", program(FIXED));
    try("a static-pie program", program(0));
    try("an empty file", WITH(program(FIXED), image.size = 0));
    try("a header cut off", WITH(program(FIXED), image.size = 63));
    try("program headers cut off", WITH(program(FIXED), image.size = 100));
    try("another magic", WITH(program(FIXED), image.header.e_ident[1] = 'F'));
    try("the 32-bit class", WITH(program(FIXED), image.header.e_ident[EI_CLASS] = ELFCLASS32));
    try("the other byte order", WITH(program(FIXED), image.header.e_ident[EI_DATA] = ELFDATA2MSB));
    try("another machine", WITH(program(FIXED), image.header.e_machine = EM_AARCH64));
    try("an object file", WITH(program(FIXED), image.header.e_type = ET_REL));
    try("program headers of another size", WITH(program(FIXED), image.header.e_phentsize = 32));
    try("no program headers", WITH(program(FIXED), image.header.e_phnum = 0));
    try("too many program headers", WITH(program(FIXED), image.header.e_phnum = 1171; image.size = 1 << 17));
    try("program headers beyond the file", WITH(program(FIXED), image.header.e_phoff = 1 << 30));
    try("program headers at a negative offset", WITH(program(FIXED), image.header.e_phoff = -1));

    try("less memory than file", WITH(program(FIXED), FIRST.p_memsz = 16));
    try("a segment beyond the address space", WITH(program(FIXED), FIRST.p_vaddr = 0x7ffffffff000));
    try("a segment in the kernel's half", WITH(program(FIXED), FIRST.p_vaddr = 0xffffffff80000000));
    try("memory beyond the address space", WITH(program(FIXED), FIRST.p_memsz = 0x7ffffffff000));
    try("memory that wraps around", WITH(program(FIXED), FIRST.p_memsz = -1));
    try("a file part that wraps around", WITH(program(FIXED), FIRST.p_filesz = FIRST.p_memsz = -1));
    try("an offset that does not fit the address", WITH(program(FIXED), FIRST.p_offset = 8));
    try("an offset beyond all files", WITH(program(FIXED), FIRST.p_offset = 0x7ffffffffffff000));
    try("a negative offset", WITH(program(FIXED), FIRST.p_offset = -4096));
    try("memory alone, at an offset that does not fit",
        WITH(program(FIXED), ADD({PT_LOAD, PF_R | PF_W, 0x123, FIXED + 0x10000, 0, 0, 64, 4096})));
    try("a writable segment beyond the file, with memory behind",
        WITH(program(FIXED), ADD({PT_LOAD, PF_R | PF_W, 0x5000, FIXED + 0x10000, 0, 64, 0x3000, 4096})));
    try("a position-independent image of nothing", WITH(program(0), FIRST.p_filesz = FIRST.p_memsz = 0));
    try("the same pages twice", WITH(program(FIXED), ADD({PT_LOAD, 5, 0, FIXED, 0, CODE + 64, CODE + 64, 4096})));
    try("segments from top to bottom",
        WITH(program(FIXED), ADD({PT_LOAD, 6, 0, FIXED - 0x10000, 0, 64, 64, 4096})));
    try("position-independent segments from top to bottom",
        WITH(program(0), image.segments[1] = FIRST; image.header.e_phnum = 2;
             FIRST = (Elf64_Phdr){PT_LOAD, 6, 0, 0x10000, 0, 64, 64, 4096}));
    try("an alignment of 2 MiB", WITH(program(0), FIRST.p_align = 2 << 20));
    try("an entry beyond the address space", WITH(program(FIXED), image.header.e_entry = 0x7ffffffff000));
    try("an entry where nothing is", WITH(program(FIXED), image.header.e_entry = 0x123456000));
    try("nonsense that only a C library reads",
        WITH(program(FIXED), ADD({PT_TLS, -1, -1, -1, -1, -1, -1, -1}); ADD({PT_NOTE, -1, -1, -1, -1, -1, -1, -1});
             ADD({PT_DYNAMIC, -1, -1, -1, -1, -1, -1, -1})));

    try("a program with its interpreter", dynamic(0));
    try("a fixed program with its interpreter", dynamic(FIXED));
    try("a program of nothing but an interpreter", WITH(dynamic(FIXED), image.header.e_phnum = 1));
    try("an entry that is the interpreter's business", WITH(dynamic(0), image.header.e_entry = -1));
    try("a missing interpreter", WITH(dynamic(0), image.path = "./nowhere/at/all"; FIRST.p_filesz = 17));
    try("a directory as interpreter", WITH(dynamic(0), image.path = "./////////////"; FIRST.p_filesz = 15));
    try("an interpreter without a name", WITH(dynamic(0), image.path = ""; FIRST.p_filesz = 2));
    try("a path of one byte", WITH(dynamic(0), FIRST.p_filesz = 1));
    try("a path that is too long", WITH(dynamic(0), FIRST.p_filesz = 4097; image.size = 8192));
    try("a path without an end", WITH(dynamic(0), FIRST.p_filesz = 5));
    try("a path beyond the file", WITH(dynamic(0), FIRST.p_offset = 1ul << 40));
    try("a path at a negative offset", WITH(dynamic(0), FIRST.p_offset = 1ul << 63));

    interpreted("a fixed interpreter", program(FIXED + 0x200000));
    interpreted("an interpreter that names one itself", dynamic(0));
    interpreted("an empty interpreter", WITH(program(0), image.size = 0));
    interpreted("an interpreter shorter than a header", WITH(program(0), image.size = 63));
    interpreted("an interpreter of another machine", WITH(program(0), image.header.e_machine = EM_ARM));
    interpreted("an interpreter without program headers", WITH(program(0), image.header.e_phnum = 0));
    interpreted("an interpreter whose program headers are cut off", WITH(program(0), image.size = 70));
    interpreted("an interpreter that is an object file", WITH(program(0), image.header.e_type = ET_REL));
    interpreted("an interpreter without segments", WITH(program(0), FIRST.p_type = PT_NOTE));
    interpreted("an interpreter with less memory than file", WITH(program(0), FIRST.p_memsz = 8));
    interpreted("an interpreter with a wild entry", WITH(program(0), image.header.e_entry = 1ul << 62));
    put("interpreter", &sound);
    must("chmod", chmod("interpreter", 0644));
    try("an interpreter that may not be executed", dynamic(0));
    return 0;
}
