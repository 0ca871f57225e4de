import Foundation
import Testing

@testable import Platform

@Suite struct SitePlanTests {
    @Test(arguments: [
        ("c3", 1, InstructionDecoder.Kind.end), ("f3c3", 2, .end), ("c20800", 3, .end), ("eb10", 2, .end),
        ("e910000000", 5, .end), ("ffe0", 2, .end), ("ff2500000000", 6, .end), ("0f0b", 2, .end), ("f4", 1, .end),
        ("90", 1, .padding), ("6690", 2, .padding), ("cc", 1, .padding), ("0f1f00", 3, .padding),
        ("0f1f440000", 5, .padding), ("662e0f1f840000000000", 10, .padding), ("f390", 2, .other),
        ("b86e000000", 5, .other), ("48b80102030405060708", 10, .other), ("66b80100", 4, .other),
        ("0f05", 2, .other), ("483d00f0ffff", 6, .other), ("775b", 2, .other), ("0f8710000000", 6, .other),
        ("488b15c9aa0d00", 7, .other), ("648902", 3, .other), ("f7d8", 2, .other), ("f7c001000000", 6, .other),
        ("f6c101", 3, .other), ("8b4424f8", 4, .other), ("8b04ad00000000", 7, .other), ("89c3", 2, .other),
        ("c5f877", 3, .other), ("c5fd6f4500", 5, .other), ("c4e3fd00c04e", 6, .other), ("62f17c48100a", 6, .other),
        ("f30f1efa", 4, .other), ("660f3a0fc108", 6, .other), ("a10102030405060708", 9, .other), ("ffd0", 2, .other),
    ])
    func lengths(_ hex: String, _ length: Int, _ kind: InstructionDecoder.Kind) {
        let bytes = Self.bytes(hex)
        #expect(InstructionDecoder.decode(bytes + [0x90], at: 0) == .init(length: length, kind: kind))
        // Cut short it is nothing.
        if length > 1 { #expect(InstructionDecoder.decode(Array(bytes.dropLast()), at: 0)?.length != length) }
    }

    @Test(arguments: ["06", "0fff", "82", "d4", "9a", "0f04"]) func unknown(_ hex: String) {
        #expect(InstructionDecoder.decode(Self.bytes(hex), at: 0) == nil)
    }

    /// The end of glibc's read: the call, a comparison, a jump, a return, padding.
    @Test func islandBehindReturn() {
        let code = Self.bytes("31c00f05483d00f0ffff775bc3662e0f1f8400000000004883ec28")
        let plan = SitePlan(page: Self.page(code), site: 2, number: 0, taken: [])
        #expect(plan?.way == .island(13))
        // The next site has what is left of the padding.
        let second = SitePlan(page: Self.page(code), site: 2, number: 0, taken: Set(13..<18))
        #expect(second?.way == .island(18))
        #expect(SitePlan(page: Self.page(code), site: 2, number: 0, taken: Set(13..<23))?.way != .island(18))
    }

    /// Padding before a loop is run through: `mov %eax, %ebx` ends with the byte of a return.
    @Test func noIslandInsideTheFlow() {
        let code = Self.bytes("0f0589c30f1f8000000000ebf5")
        #expect(SitePlan(page: Self.page(code, filler: 0x06), site: 0, number: 0, taken: []) == nil)
    }

    @Test func overMove() {
        let code = Self.bytes("90b86e0000000f05c3")
        let page = Self.page(code, filler: 0x06)
        #expect(SitePlan(page: page, site: 6, number: 110, taken: [])?.way == .overMove(1))
        // The number came from elsewhere: the bytes before are no such `mov`.
        #expect(SitePlan(page: page, site: 6, number: 111, taken: []) == nil)
        // What stands before it is not to be seen.
        let cut = Self.page(Array(code.dropFirst()), filler: 0x06)
        #expect(SitePlan(page: cut, site: 5, number: 110, taken: []) == nil)
    }

    /// `mov $110, %r8d` ends like `mov $110, %eax`.
    @Test(arguments: ["41", "43", "45", "47"]) func noMoveToAnotherRegister(_ prefix: String) {
        let page = Self.page(Self.bytes("90" + prefix + "b86e0000000f05c3"), filler: 0x06)
        #expect(SitePlan(page: page, site: 7, number: 110, taken: []) == nil)
        // These change nothing.
        let same = Self.page(Self.bytes("9040b86e0000000f05c3"), filler: 0x06)
        #expect(SitePlan(page: same, site: 7, number: 110, taken: [])?.way == .overMove(2))
    }

    @Test func refusesWhatIsNoCall() {
        #expect(SitePlan(page: Self.page([0x0f, 0x06]), site: 0, number: 0, taken: []) == nil)
        #expect(SitePlan(page: Self.page([]), site: 4095, number: 0, taken: []) == nil)
        #expect(SitePlan(page: Self.page([]), site: -1, number: 0, taken: []) == nil)
    }

    @Test func trampolineReachesItsTargets() throws {
        let trampoline = Trampoline(slot: 0x40_0000, resume: 0x50_0000, number: 39, answer: 2)
        let code = try #require(trampoline.code)
        #expect(code.count == Int(Trampoline.size))
        // The last instruction of the answered way leads to where the site goes on.
        let jump = try #require(code.lastIndex(of: 0xe9))
        let distance = Self.integer(code[jump + 1..<jump + 5])
        #expect(0x40_0000 + jump + 5 + Int(distance) == 0x50_0000)
        #expect(Trampoline(slot: 0x40_0000, resume: 0x1_5000_0000, number: 39, answer: nil).code == nil)
        #expect(Trampoline.jump(at: 0, to: 1 << 33) == nil)
    }

    /// The decoder agrees with binutils about every instruction after every system call of the C library, as far as a
    /// search for padding goes.
    @Test func agreesWithBinutils() throws {
        let library = "/lib/x86_64-linux-gnu/libc.so.6"
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/objdump"),
            let image = FileManager.default.contents(atPath: library)
        else {
            print("skipped: no objdump, or no C library where Debian has it")
            return
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/objdump")
        process.arguments = ["-d", "--no-show-raw-insn", "-j", ".text", library]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var starts: Set<Int> = []
        var calls: [Int] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "\t")
            guard parts.count >= 2, let address = Int(parts[0].trimmingCharacters(in: [" ", ":"]), radix: 16) else {
                continue
            }
            starts.insert(address)
            if parts[1].hasPrefix("syscall") { calls.append(address) }
        }
        #expect(calls.count > 300)
        // In this library the text lies in the file where it lies in memory.
        let bytes = [UInt8](image)
        var islands = 0
        for call in calls where call & 4095 <= 4094 {
            let page = call & ~4095
            let window = Array(bytes[page..<page + 4096])
            #expect(Array(window[call - page..<call - page + 2]) == SitePlan.syscall)
            var next = call - page + 2
            while next < min(4096, call - page + 129), let found = InstructionDecoder.decode(window, at: next) {
                #expect(starts.contains(page + next), "at \(String(page + next, radix: 16))")
                next += found.length
            }
            if case .island = SitePlan(page: window, site: call - page, number: 0, taken: [])?.way { islands += 1 }
        }
        #expect(islands > calls.count / 2)
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
    }

    private static func page(_ code: [UInt8], filler: UInt8 = 0x06) -> [UInt8] {
        code + [UInt8](repeating: filler, count: 4096 - code.count)
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int32 {
        bytes.reversed().reduce(0) { $0 << 8 | Int32($1) }
    }
}
