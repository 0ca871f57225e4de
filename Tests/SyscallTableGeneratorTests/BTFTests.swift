import SyscallTableGenerator
import Testing

/// Writes small BTF files, as `Documentation/bpf/btf.rst` lays them out.
private struct BTFWriter {
    private var types: [UInt8] = []
    private var strings: [UInt8] = [0]
    private(set) var count = 0

    private static func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    private mutating func name(_ text: String) -> Int {
        if text.isEmpty { return 0 }
        defer { strings += Array(text.utf8) + [0] }
        return strings.count
    }

    /// Adds a type and gives its number. A detail is a name, or a number.
    mutating func add(
        _ kind: Int, _ text: String = "", value: Int = 0, count members: Int = 0, details: [Any] = []
    ) -> Int {
        types += BTFWriter.word(name(text)) + BTFWriter.word(kind << 24 | members) + BTFWriter.word(value)
        for detail in details {
            if let text = detail as? String { types += BTFWriter.word(name(text)) }
            if let number = detail as? Int { types += BTFWriter.word(number) }
        }
        count += 1
        return count
    }

    var bytes: [UInt8] {
        let header: [UInt8] = [0x9f, 0xeb, 1, 0]
        let words = [24, 0, types.count, types.count, strings.count].flatMap(BTFWriter.word)
        return header + words + types + strings
    }
}

@Suite("BTF")
struct BTFTests {
    private func sample() -> [UInt8] {
        var writer = BTFWriter()
        let int = writer.add(1, "unsigned int", value: 4, details: [32])
        let char = writer.add(1, "char", value: 1, details: [8])
        let constantChar = writer.add(10, value: char)
        let pointer = writer.add(2, value: constantChar)
        let size = writer.add(8, "size_t", value: int)
        let prototype = writer.add(13, value: int, count: 2, details: ["name", pointer, "len", size])
        _ = writer.add(12, "__do_sys_sethostname", value: prototype)
        _ = writer.add(12, "vfs_read", value: prototype)
        let registers = writer.add(4, "pt_regs", value: 168)
        let constantRegisters = writer.add(10, value: registers)
        let none = writer.add(13, value: int, count: 1, details: ["__unused", writer.add(2, value: constantRegisters)])
        _ = writer.add(12, "__do_sys_getpid", value: none)
        _ = writer.add(4, "stat", value: 144, count: 1, details: ["st_dev", int, 0])
        _ = writer.add(4, "twice", value: 8)
        _ = writer.add(4, "twice", value: 12)
        let array = writer.add(3, details: [int, int, 5])
        _ = writer.add(8, "set_t", value: array)
        return writer.bytes
    }

    @Test("bodies of system calls give signatures, and a call without parameters has none")
    func signatures() throws {
        let found = try BTF(sample(), file: "b").signatures()
        #expect(found.map(\.entry) == ["sys_getpid", "sys_sethostname"])
        #expect(found[0].parameters.isEmpty)
        #expect(
            found[1].parameters
                == [ParameterFact(type: "const char *", name: "name"), ParameterFact(type: "size_t", name: "len")])
    }

    @Test("sizes of structures, typedefs and arrays; a name with two sizes has none")
    func sizes() throws {
        let sizes = try BTF(sample(), file: "b").sizes(of: [
            "struct stat", "struct twice", "size_t", "set_t", "struct no",
        ])
        #expect(sizes == ["struct stat": 144, "size_t": 4, "set_t": 20])
    }

    @Test("types that run in a circle, and arrays of arrays beyond all bounds, have no size")
    func circles() throws {
        var writer = BTFWriter()
        _ = writer.add(8, "a_t", value: 2)
        _ = writer.add(8, "b_t", value: 1)
        var last = writer.add(1, "long", value: 8, details: [64])
        for _ in 0..<4 { last = writer.add(3, details: [last, last, 0x7fff_ffff]) }
        _ = writer.add(8, "huge_t", value: last)
        _ = writer.add(8, "nowhere_t", value: 77_777)
        let sizes = try BTF(writer.bytes, file: "b").sizes(of: ["a_t", "b_t", "huge_t", "nowhere_t"])
        #expect(sizes.isEmpty)
    }

    @Test("other files, and files that are cut off anywhere, are refused")
    func truncated() throws {
        let whole = sample()
        for length in 0..<whole.count {
            #expect(throws: GeneratorError.self) { try BTF(Array(whole.prefix(length)), file: "b") }
        }
        var other = whole
        other[2] = 2
        #expect(throws: GeneratorError(file: "b", reason: "is no little-endian BTF of version 1")) {
            try BTF(other, file: "b")
        }
    }

    @Test("an unknown kind of type is refused: what follows it can't be found")
    func unknownKind() {
        var writer = BTFWriter()
        _ = writer.add(30)
        #expect(throws: GeneratorError(file: "b", reason: "type 1 is of the unknown kind 30")) {
            try BTF(writer.bytes, file: "b")
        }
    }

    @Test("mutated files are read or refused, and nothing traps")
    func mutated() {
        var random = SplitMix(state: 7)
        let whole = sample()
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let types = try? BTF(bytes, file: "b") else {
                refused += 1
                continue
            }
            _ = types.signatures()
            _ = types.sizes(of: ["struct stat", "struct twice", "size_t", "set_t"])
        }
        #expect(refused > 1000 && refused < 19_000)
    }
}

/// A small generator of repeatable random numbers.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
