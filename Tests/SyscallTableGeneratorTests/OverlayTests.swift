import SyscallTableGenerator
import Testing

@Suite("overlay.txt")
struct OverlayTests {
    private func parse(_ text: String) throws -> Overlay { try Overlay(parsing: text, file: "o") }

    @Test("a call's line tells roles, directions, extents, flag sets and the result")
    func call() throws {
        let overlay = try parse(
            """
            # a comment
            call read buf:buffer,out,result(count) count:size -> bytes
            call openat flags:set(open_flags) -> fd
            call clone@aarch64 tls:address
            """)
        let read = try #require(overlay.calls["read"])
        #expect(read.result == "bytes")
        #expect(read.line == 2)
        #expect(read.hints.map(\.name) == ["buf", "count"])
        #expect(read.hints[0].hint.role == "buffer")
        #expect(read.hints[0].hint.direction == "out")
        #expect(read.hints[0].hint.extent?.kind == "result")
        #expect(read.hints[0].hint.extent?.argument == "count")
        let open = try #require(overlay.calls["openat"]?.hints.first?.hint)
        #expect(open.flagSet == "open_flags" && open.role == "flags")
        #expect(overlay.calls["clone@aarch64"]?.result == nil)
    }

    @Test("signatures, types, names, sizes and layouts")
    func others() throws {
        let overlay = try parse(
            """
            signature f@riscv64 = unsigned long a, int __user * b
            type const char __user * = text
            name fd oldfd *path = fd
            size struct stat = 144 aarch64:128
            layout struct timespec = Timestamp
            """)
        #expect(overlay.signatures["f@riscv64"]?.parameters.map(\.name) == ["a", "b"])
        #expect(overlay.types["const char __user *"]?.role == "text")
        #expect(overlay.names.keys.sorted() == ["*path", "fd", "oldfd"])
        #expect(overlay.sizes["struct stat"] == [.x86_64: 144, .aarch64: 128, .riscv64: 144])
        #expect(overlay.layouts["struct timespec"] == "Timestamp")
    }

    @Test(
        "a line that makes no sense says why",
        arguments: [
            ("cal read", "unknown word `cal`: expected call, signature, type, name, size or layout"),
            ("call", "which call?"),
            ("call read buf", "expected `parameter:attributes`: buf"),
            ("call read buf:wide", "unknown attribute `wide`"),
            ("call read buf:bytes", "unknown attribute `bytes`"),
            ("call read buf:bytes(count", "`bytes(count` has no closing parenthesis"),
            ("call read buf:in buf:out", "the parameter buf twice"),
            ("call read -> lots", "unknown result `lots`"),
            ("call read -> fd bytes", "expected one result after `->`"),
            ("call read@vax", "`read@vax` is no call or call@architecture"),
            ("call read\ncall read", "a second line for the call read"),
            ("type int", "expected `name = value`"),
            ("= int", "unknown word `=`: expected call, signature, type, name, size or layout"),
            ("size struct x = 0", "expected bytes or architecture:bytes: 0"),
            ("size struct x = vax:4", "expected bytes or architecture:bytes: vax:4"),
            ("size struct x = 4\nsize struct x = 4", "a second size of struct x"),
            ("layout a = b\nlayout a = c", "a second layout of a"),
            ("type a = in\ntype a = out", "a second line for the type a"),
            ("name a b = in\nname b = out", "a second line for the name b"),
            ("signature f = int", "a parameter has no name"),
            ("signature f = int a\nsignature f = int a", "a second signature of f"),
        ])
    func malformed(text: String, reason: String) {
        let line = text.split(separator: "\n").count
        #expect(throws: GeneratorError(file: "o", line: line, reason: reason)) { try parse(text) }
    }
}
