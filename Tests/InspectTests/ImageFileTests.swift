import Foundation
import Inspect
import Testing

/// A folder for a test's files, gone with the test.
private func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-inspect-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
}

/// The program that every Debian has, dynamically linked.
private let program = "/usr/bin/env"

@Suite("apus inspect's reading")
struct ImageFileTests {
    @Test("a dynamic program has an interpreter, needs the C library, and carries a build ID")
    func dynamic() throws {
        let report = try ImageFile(program).report()
        #expect(report.header.bits == 64)
        #expect(report.header.byteOrder == "little-endian")
        #expect(report.header.type == "DYN")
        #expect(report.header.programHeaderCount == report.segments.count)
        #expect(report.interpreter?.hasPrefix("/lib") == true)
        #expect(report.needed.contains("libc.so.6"))
        #expect(report.segments.filter { $0.type == "LOAD" }.count >= 2)
        #expect(report.segments.contains { $0.type == "GNU_STACK" && $0.flagText == "RW-" })
        let identity = try #require(report.notes.first { $0.owner == "GNU" && $0.type == 3 })
        #expect(identity.text.hasPrefix("build ID: ") && identity.text.count == 10 + 40)
        #expect(report.notes.contains { $0.text.hasPrefix("ABI: Linux ") })
        #expect(report.dynamicSymbols.contains { $0.name == "__libc_start_main" && !$0.isDefined && $0.type == "FUNC" })
        #expect(report.symbols.isEmpty)
        #expect(report.complaints.isEmpty)
    }

    @Test("a library has a name and defines symbols; an unstripped program has its own")
    func library() throws {
        let interpreter = try #require(try ImageFile(program).report().interpreter)
        let report = try ImageFile(interpreter).report()
        #expect(report.name == "ld-linux-x86-64.so.2")
        #expect(report.interpreter == nil)
        #expect(report.dynamicSymbols.contains { $0.name == "__tls_get_addr" && $0.isDefined && $0.value > 0 })
        // This test program itself is not stripped.
        let own = try ImageFile("/proc/self/exe").report()
        #expect(own.symbols.contains { $0.name == "main" && $0.isDefined } || own.header.type == "DYN")
    }

    @Test("32-bit, big-endian and object files are read as well")
    func others() throws {
        // A header of 52 bytes: class 32, big-endian, an object file for MIPS without segments or sections.
        var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 2, 1, 0] + Array(repeating: 0, count: 8)
        bytes +=
            [0, 1, 0, 8, 0, 0, 0, 1] + Array(repeating: 0, count: 12) + [
                0, 0, 0, 5, 0, 52, 0, 32, 0, 0, 0, 40, 0, 0, 0, 0,
            ]
        try withTemporaryFolder { folder in
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/o"))
            let report = try ImageFile("\(folder)/o").report()
            #expect(report.header.bits == 32 && report.header.byteOrder == "big-endian")
            #expect(report.header.type == "REL" && report.header.machine == "mips" && report.header.flags == 5)
            #expect(report.segments.isEmpty && report.interpreter == nil && report.complaints.isEmpty)
        }
    }

    @Test("the JSON is what was read")
    func json() throws {
        let report = try ImageFile(program).report()
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(ImageReport.self, from: data) == report)
    }

    @Test("the text names interpreter, libraries, segments and notes, and lists symbols on request")
    func text() throws {
        let report = try ImageFile(program).report()
        let short = report.text(listsSymbols: false)
        #expect(short.hasPrefix("\(program): ELF 64 DYN x86-64, \(report.size) bytes\n"))
        for word in ["interpreter: /lib", "needed: libc.so.6", "GNU_STACK", "build ID: ", "dynamic symbols: "] {
            #expect(short.contains(word), "\(word)")
        }
        #expect(!short.contains("__libc_start_main"))
        #expect(report.text(listsSymbols: true).contains("undefined  0  GLOBAL FUNC  __libc_start_main"))
    }

    @Test("what can't be looked at says which file, why, and what would help")
    func errors() throws {
        try withTemporaryFolder { folder in
            #expect(throws: InspectError(file: "\(folder)/no", reason: "No such file or directory")) {
                try ImageFile("\(folder)/no")
            }
            #expect(throws: InspectError(file: folder, reason: "is no regular file")) { try ImageFile(folder) }
            #expect(throws: InspectError(file: "/dev/null", reason: "is no regular file")) {
                try ImageFile("/dev/null")
            }
            for text in ["", "#!/bin/sh\n", "\u{7f}EL"] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/f"))
                #expect(throws: InspectError(file: "\(folder)/f", reason: "is no ELF file")) {
                    try ImageFile("\(folder)/f")
                }
            }
            try Data("!<arch>\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/a"))
            let error = #expect(throws: InspectError.self) { try ImageFile("\(folder)/a") }
            #expect(error?.description == "\(folder)/a: is an archive, not one ELF file (unpack it with ar x)")
        }
    }

    @Test(
        "cut off and mutated files are read as far as they go, or refused; nothing crashes and nothing is read outside")
    func mutated() throws {
        let whole = try Data(contentsOf: URL(fileURLWithPath: program))
        var random = SplitMix(state: 11)
        var complained = 0
        try withTemporaryFolder { folder in
            let path = "\(folder)/f"
            for round in 0..<1_000 {
                var bytes = round % 4 == 0 ? whole.prefix(Int.random(in: 0..<whole.count, using: &random)) : whole
                // Headers and the first 4 KiB, with notes and dynamic symbols, suffer most.
                for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
                    let index = Int.random(
                        in: 0..<min(bytes.count, round % 2 == 0 ? 64 + 56 * 13 : 8192), using: &random)
                    bytes[index] = UInt8.random(in: 0...255, using: &random)
                }
                try bytes.write(to: URL(fileURLWithPath: path))
                guard let report = try? ImageFile(path).report() else { continue }
                if !report.complaints.isEmpty { complained += 1 }
                _ = report.text(listsSymbols: true)
            }
        }
        #expect(complained > 50)
    }
}

/// A small generator of repeatable random numbers.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
