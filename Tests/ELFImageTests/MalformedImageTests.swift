import ELFImage
import LinuxABI
import Testing

/// An image, what execve makes of it, and the interpreter that it names, if any.
struct MalformedCase: CustomTestStringConvertible, Sendable {
    let name: String
    let expected: Judgement
    let program: [UInt8]
    let interpreter: [UInt8]?

    var testDescription: String { name }
}

/// Where the table's images look for their interpreter: replaced by a path in the test's folder, of the same length.
private let interpreterPath = String(repeating: "/", count: 99) + "i"

@Suite("execve's verdict on malformed images")
struct MalformedImageTests {
    private static func image(
        _ name: String, _ expected: Judgement, at address: UInt64 = 0x40_0000,
        _ change: (inout ImageBuilder) -> Void = { _ in }
    ) -> MalformedCase {
        var builder = ImageBuilder.program(Code.exit42, at: address)
        change(&builder)
        return MalformedCase(name: name, expected: expected, program: builder.bytes, interpreter: nil)
    }

    /// A program that names an interpreter; both may be changed.
    private static func dynamic(
        _ name: String, _ expected: Judgement, at address: UInt64 = 0,
        _ change: (_ program: inout ImageBuilder, _ interpreter: inout ImageBuilder) -> Void = { _, _ in }
    ) -> MalformedCase {
        var program = ImageBuilder.program(Code.exit42, at: address, interpreter: interpreterPath)
        var interpreter = ImageBuilder.program(Code.exit42, at: 0)
        change(&program, &interpreter)
        return MalformedCase(
            name: name, expected: expected, program: program.bytes, interpreter: interpreter.bytes)
    }

    private static func bytes(_ name: String, _ expected: Judgement, _ bytes: [UInt8]) -> MalformedCase {
        MalformedCase(name: name, expected: expected, program: bytes, interpreter: nil)
    }

    private static let whole = ImageBuilder.program(Code.exit42).bytes

    private static func changed(_ index: Int, to byte: UInt8) -> [UInt8] {
        var bytes = whole
        bytes[index] = byte
        return bytes
    }

    private static let headers: [MalformedCase] = [
        image("a fixed program", .starts),
        image("a static-pie program", .starts, at: 0),
        bytes("an empty file", .refused(.ENOEXEC), []),
        bytes("a single byte", .refused(.ENOEXEC), [0x7f]),
        bytes("the magic alone", .refused(.ENOEXEC), [0x7f, 0x45, 0x4c, 0x46]),
        bytes("a header cut off", .refused(.ENOEXEC), Array(whole.prefix(63))),
        bytes("program headers cut off", .refused(.ENOEXEC), Array(whole.prefix(64 + 55))),
        bytes("another magic", .refused(.ENOEXEC), changed(3, to: 0x47)),
        bytes("the 32-bit class, which Linux does not look at", .starts, changed(4, to: 1)),
        bytes("the other byte order, which Linux does not look at", .starts, changed(5, to: 2)),
        image("another machine's program", .refused(.ENOEXEC)) { $0.machine = 183 },
        image("an object file", .refused(.ENOEXEC)) { $0.type = 1 },
        image("a core dump", .refused(.ENOEXEC)) { $0.type = 4 },
        image("program headers of another size", .refused(.ENOEXEC)) { $0.entrySize = 32 },
        image("no program headers", .refused(.ENOEXEC)) { $0.count = 0 },
        image("as many program headers as every Linux takes", .starts) {
            $0.segments += Array(repeating: ImageBuilder.Segment(type: 0), count: 72)
            $0.contents[0].offset = 0x2000
            $0.entry = 0x40_2000
            $0.segments[0].fileSize = 0x2100
            $0.segments[0].memorySize = 0x2100
        },
        image("one program header too many", .refused(.ENOEXEC)) {
            $0.count = 1171
            $0.size = 1 << 17
        },
        image("as many program headers as can be said", .refused(.ENOEXEC)) {
            $0.count = 0xffff
            $0.size = 1 << 22
        },
        image("program headers beyond the file", .refused(.ENOEXEC)) { $0.headerOffset = 1 << 30 },
        image("program headers at the end of all files", .refused(.ENOEXEC)) { $0.headerOffset = 1 << 63 - 1 },
        image("program headers at a negative offset", .refused(.ENOEXEC)) { $0.headerOffset = .max },
    ]

    private static let segments: [MalformedCase] = [
        image("less memory than file", .dies) { $0.segments[0].memorySize = 16 },
        image("a segment beyond the address space", .dies) { $0.segments[0].address = 0x7fff_ffff_f000 },
        image("a segment in the kernel's half", .dies) { $0.segments[0].address = 0xffff_ffff_8000_0000 },
        image("memory that reaches beyond the address space", .dies) { $0.segments[0].memorySize = 0x7fff_ffff_f000 },
        image("memory that wraps around", .dies) { $0.segments[0].memorySize = .max },
        image("a file part that wraps around", .dies) {
            $0.segments[0].fileSize = .max
            $0.segments[0].memorySize = .max
        },
        image("an offset that does not fit the address", .dies) { $0.segments[0].offset = 8 },
        image("an offset beyond all files", .dies) { $0.segments[0].offset = 0x7fff_ffff_ffff_f000 },
        image("a negative offset", .dies) { $0.segments[0].offset = 0xffff_ffff_ffff_f000 },
        image("memory alone at an offset that does not fit", .starts) {
            $0.segments.append(ImageBuilder.Segment(flags: 6, offset: 0x123, address: 0x50_0000, memorySize: 64))
        },
        image("a segment of nothing", .starts) { $0.segments.append(ImageBuilder.Segment(address: 0x50_0000)) },
        image("a segment of nothing beyond the address space", .dies) {
            $0.segments.append(ImageBuilder.Segment(address: 0x8000_0000_0000))
        },
        image("a position-independent image of nothing", .dies, at: 0) {
            $0.segments[0].fileSize = 0
            $0.segments[0].memorySize = 0
        },
        image("the same pages twice", .starts) { $0.segments.append($0.segments[0]) },
        image("overlapping segments, the later one in front", .starts) {
            $0.segments.insert(
                ImageBuilder.Segment(flags: 6, address: 0x40_0000, fileSize: 64, memorySize: 0x3000), at: 0)
        },
        image("segments from top to bottom", .starts) {
            $0.segments.insert(
                ImageBuilder.Segment(flags: 6, address: 0x41_0000, fileSize: 64, memorySize: 64), at: 0)
        },
        image("position-independent segments from top to bottom", .starts, at: 0) {
            $0.segments.insert(ImageBuilder.Segment(flags: 6, address: 0x1_0000, fileSize: 64, memorySize: 64), at: 0)
        },
        image("an image larger than the address space", .dies, at: 0) {
            $0.segments.append(ImageBuilder.Segment(flags: 6, address: 0x7fff_ffff_e000, memorySize: 64))
        },
        image("an alignment of 2 MiB", .starts, at: 0) { $0.segments[0].alignment = 0x20_0000 },
        image("an alignment that is no power of two", .starts, at: 0) { $0.segments[0].alignment = 0x12345 },
        image("an entry beyond the address space", .dies) { $0.entry = 0x7fff_ffff_f000 },
        image("an entry in the kernel's half", .dies) { $0.entry = .max },
        image("headers that only a C library reads, full of nonsense", .starts) {
            for type: UInt32 in [2, 4, 6, 7, 0x6474_e550, 0x6474_e552, 0x7000_0001] {
                $0.segments.append(
                    ImageBuilder.Segment(
                        type: type, flags: .max, offset: .max, address: .max, fileSize: .max, memorySize: .max,
                        alignment: .max))
            }
        },
        image("an executable stack", .starts) { $0.segments.append(ImageBuilder.Segment(type: 0x6474_e551, flags: 7)) },
    ]

    private static let interpreters: [MalformedCase] = [
        dynamic("a position-independent program with its interpreter", .starts),
        dynamic("a fixed program with its interpreter", .starts, at: 0x40_0000),
        dynamic("a fixed interpreter", .starts) { _, interpreter in
            interpreter = ImageBuilder.program(Code.exit42, at: 0x60_0000)
        },
        dynamic("an interpreter that names one itself", .starts) { _, interpreter in
            interpreter = ImageBuilder.program(Code.exit42, at: 0, interpreter: "/nowhere")
        },
        dynamic("a second interpreter", .starts) { program, _ in
            program.segments.append(
                ImageBuilder.Segment(type: 3, offset: .max, fileSize: 0, memorySize: 0))
        },
        dynamic("a program of nothing but an interpreter", .starts, at: 0x40_0000) { program, _ in
            program.segments.removeLast()
        },
        dynamic("an entry beyond the address space, which is the interpreter's business", .starts) { program, _ in
            program.entry = .max
        },
        dynamic("a path of no bytes", .refused(.ENOEXEC)) { program, _ in program.segments[0].fileSize = 0 },
        dynamic("a path of one byte", .refused(.ENOEXEC)) { program, _ in program.segments[0].fileSize = 1 },
        dynamic("a path that is too long", .refused(.ENOEXEC)) { program, _ in
            program.segments[0].fileSize = 4097
            program.size = 8192
        },
        dynamic("a path without an end", .refused(.ENOEXEC)) { program, _ in program.segments[0].fileSize -= 1 },
        dynamic("a path beyond the file", .refused(.EIO)) { program, _ in program.segments[0].offset = 1 << 40 },
        dynamic("a path that ends beyond the file", .refused(.EIO)) { program, _ in program.segments[0].fileSize = 4096
        },
        dynamic("a path that ends beyond all files", .refused(.EINVAL)) { program, _ in
            program.segments[0].offset = 1 << 63 - 1
        },
        dynamic("a path at a negative offset", .refused(.EINVAL)) { program, _ in program.segments[0].offset = 1 << 63
        },
        dynamic("an empty interpreter", .refused(.EIO)) { _, interpreter in interpreter.size = 0 },
        dynamic("an interpreter shorter than a header", .refused(.EIO)) { _, interpreter in interpreter.size = 63 },
        dynamic("an interpreter of another machine", .refused(.ELIBBAD)) { _, interpreter in interpreter.machine = 40 },
        dynamic("an interpreter without program headers", .refused(.ELIBBAD)) { _, interpreter in
            interpreter.count = 0
        },
        dynamic("an interpreter with program headers of another size", .refused(.ELIBBAD)) { _, interpreter in
            interpreter.entrySize = 64
        },
        dynamic("an interpreter whose program headers are cut off", .refused(.ELIBBAD)) { _, interpreter in
            interpreter.size = 70
        },
        dynamic("an interpreter that is an object file", .dies) { _, interpreter in interpreter.type = 1 },
        dynamic("an interpreter without segments", .dies) { _, interpreter in interpreter.segments[0].type = 4 },
        dynamic("an interpreter with less memory than file", .dies) { _, interpreter in
            interpreter.segments[0].memorySize = 8
        },
        dynamic("an interpreter with a wild entry", .dies) { _, interpreter in interpreter.entry = 1 << 62 },
        dynamic("a broken program with a broken interpreter: the interpreter is looked at first", .refused(.ELIBBAD)) {
            program, interpreter in
            program.segments[1].memorySize = 1
            interpreter.machine = 40
        },
    ]

    @Test("the loader says what the host's kernel says", arguments: headers + segments + interpreters)
    func verdict(_ item: MalformedCase) throws {
        #expect(Judgement(item.program, interpreter: item.interpreter) == item.expected)

        let kernel = try NativeKernel()
        var program = item.program
        if let interpreter = item.interpreter {
            let path = try kernel.write(interpreter, as: "i")
            // The test's folder has a name of its own, but always of the same length.
            try #require(path.utf8.count <= interpreterPath.utf8.count)
            let slashes = String(repeating: "/", count: interpreterPath.utf8.count - path.utf8.count)
            program = program.replacing(
                Array(interpreterPath.utf8), with: Array((slashes + path).utf8), maxReplacements: 1)
        }
        let outcome = try kernel.run(try kernel.write(program, as: "program")).outcome
        let expected: NativeKernel.Outcome =
            switch item.expected {
            case .refused(let error): .refused(error)
            case .dies: .killed(signal: 11)
            case .starts: .exited(42)
            }
        #expect(outcome == expected)
    }
}
