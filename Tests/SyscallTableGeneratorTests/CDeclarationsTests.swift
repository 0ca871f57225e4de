import SyscallTableGenerator
import Testing

@Suite("Prototypes and SYSCALL_DEFINE")
struct CDeclarationsTests {
    private func parameters(_ pairs: [(String, String?)]) -> [ParameterFact] {
        pairs.map { ParameterFact(type: $0.0, name: $0.1) }
    }

    @Test("a prototype runs over lines, and comments and conditions around it don't matter")
    func prototypes() throws {
        let found = try CDeclarations.prototypes(
            in: """
                /* asmlinkage long sys_commented(int fd); */
                #ifdef CONFIG_X
                asmlinkage long sys_io_setup(unsigned nr_reqs, aio_context_t __user *ctx);
                #endif
                asmlinkage ssize_t sys_readv(unsigned long fd,
                                             const struct iovec __user *vec, /* how many */
                                             unsigned long vlen);
                asmlinkage long sys_getpid(void);
                asmlinkage long compat_thing(int a);
                """, file: "s.h")
        #expect(found.map(\.entry) == ["sys_io_setup", "sys_readv", "sys_getpid"])
        #expect(found[0].parameters == parameters([("unsigned", "nr_reqs"), ("aio_context_t __user *", "ctx")]))
        #expect(
            found[1].parameters
                == parameters([
                    ("unsigned long", "fd"), ("const struct iovec __user *", "vec"), ("unsigned long", "vlen"),
                ]))
        #expect(found[2].parameters.isEmpty)
    }

    @Test("a parameter without a name stays without one")
    func unnamed() throws {
        let found = try CDeclarations.prototypes(
            in: "asmlinkage long sys_io_submit(aio_context_t, long, unsigned int, struct iocb __user * __user *);",
            file: "s.h")
        #expect(
            found[0].parameters
                == parameters([
                    ("aio_context_t", nil), ("long", nil), ("unsigned int", nil),
                    ("struct iocb __user * __user *", nil),
                ]))
    }

    @Test("a definition has as many types and names as its number says")
    func definitions() throws {
        let found = try CDeclarations.definitions(
            in: """
                SYSCALL_DEFINE3(read, unsigned int, fd, char __user *, buf,
                        size_t, count)
                {
                }
                  SYSCALL_DEFINE0(getpid)
                COMPAT_SYSCALL_DEFINE1(x, int, y)
                SYSCALL_DEFINE4(truncate64, const char __user *, path, SC_ARG64(length))
                """, file: "f.c")
        #expect(found.map(\.entry) == ["sys_read", "sys_getpid"])
        #expect(
            found[0].parameters
                == parameters([("unsigned int", "fd"), ("char __user *", "buf"), ("size_t", "count")]))
        #expect(found[1].parameters.isEmpty)
    }

    @Test("text that ends inside of parentheses names the line where they began")
    func unfinished() {
        #expect(throws: GeneratorError(file: "s.h", line: 2, reason: "the parameters of sys_x never end")) {
            try CDeclarations.prototypes(in: "\nasmlinkage long sys_x(int a,", file: "s.h")
        }
        #expect(throws: GeneratorError(file: "f.c", line: 1, reason: "a SYSCALL_DEFINE never ends")) {
            try CDeclarations.definitions(in: "SYSCALL_DEFINE1(x, int, y", file: "f.c")
        }
    }

    @Test("a definition with too few types is refused")
    func count() {
        #expect(throws: GeneratorError(file: "f.c", line: 1, reason: "SYSCALL_DEFINE2 has 2 types and names")) {
            try CDeclarations.definitions(in: "SYSCALL_DEFINE2(x, int, y)", file: "f.c")
        }
    }

    @Test("a comment that never ends hides the rest and nothing else")
    func openComment() throws {
        let found = try CDeclarations.definitions(in: "SYSCALL_DEFINE0(a)\n/* SYSCALL_DEFINE0(b)\n", file: "f.c")
        #expect(found.map(\.entry) == ["sys_a"])
    }

    @Test(
        "types have one spelling",
        arguments: [
            ("char __user*buf", "char __user * buf"), ("const  char\t__user *", "const char __user *"),
            ("const int", "int"), ("struct x * *", "struct x **"),
            ("const struct x __user *", "const struct x __user *"),
        ])
    func spelling(text: String, expected: String) {
        #expect(CType.spelled(text) == expected)
    }

    @Test(
        "types that only differ in spelling are the same type",
        arguments: [
            ("unsigned", "u32"), ("long unsigned int", "unsigned long"), ("char __user *", "const char *"),
            ("size_t", "__kernel_size_t"), ("unsigned *", "unsigned int *"), ("long int", "s64"),
        ])
    func canonical(left: String, right: String) {
        #expect(CType.canonical(left) == CType.canonical(right))
    }

    @Test("pointers to different things, and integers of different widths or signs, are different types")
    func different() {
        #expect(CType.canonical("int") != CType.canonical("unsigned int"))
        #expect(CType.canonical("int") != CType.canonical("long"))
        #expect(CType.canonical("int *") != CType.canonical("long *"))
        #expect(CType.shape("int *") == CType.shape("struct x __user *"))
    }
}
