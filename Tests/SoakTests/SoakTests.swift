import Foundation
import Testing

@testable import Soak
@testable import Trace

@Suite("What a soak asks")
struct SoakTests {
    private func call(_ number: UInt64, _ arguments: UInt64..., architecture: UInt32 = 0xc000_003e) -> CallWatch.Call {
        let padded = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
        return CallWatch.Call(thread: 1, architecture: architecture, number: number, arguments: padded, instruction: 0)
    }

    @Test("the reviewed list admits its calls, by number, architecture and arguments")
    func list() {
        #expect(Turn.admits(call(0)))
        #expect(Turn.admits(call(62, 17, 9)))
        #expect(!Turn.admits(call(62, 17, 15)))
        #expect(!Turn.admits(call(62, UInt64(bitPattern: -1), 9)))
        #expect(!Turn.admits(call(59)))
        #expect(!Turn.admits(call(101)))
        #expect(!Turn.admits(call(0, architecture: 0x4000_0003)))
        #expect(!Turn.admits(call(0x4000_0000)))
        #expect(!Turn.admits(call(9, 0, 4096, 5)))
    }

    @Test("the same seed gives the same turns, and every guest comes to be watched, patched at once, and killed")
    func plan() {
        let soak = Soak(Soak.Options()) { _ in }
        let names = (0..<15).map { "guest-\($0)" }
        let turns = (0..<360).map { soak.plan($0, names) }
        #expect(turns.map(\.seed) == (0..<360).map { soak.plan($0, names).seed })
        for name in names {
            let own = turns.filter { $0.guest == name }
            #expect(own.contains { $0.isTraced } && own.contains { !$0.isTraced })
            #expect(own.contains { $0.patchAfter == 1 } && own.contains { $0.patchAfter == 0 })
            #expect(own.contains { $0.isKilled } && own.contains { $0.isStaged } && own.contains { $0.memory != nil })
        }
    }

    @Test(
        "a stillness is the host's only if the twin stood still, too",
        arguments: [(1500, 900, true), (1500, 200, false)])
    func stillness(guest: Int, twin: Int, isHosts: Bool) {
        #expect(Pulse.Stillness(milliseconds: guest, twinMilliseconds: twin).isHosts == isHosts)
    }

    @Test("the kernel's last words are told from what guests write, who may hold a C library's")
    func lastWords() {
        #expect(Turn.kernelsWords(in: "x\nFatal error: glibc detected an invalid stdio handle\0fopen") == nil)
        #expect(Turn.kernelsWords(in: "Illegal instruction\0Killed\0") == nil)
        let words = "Swift/ContiguousArrayBuffer.swift:600: Fatal error: Index out of range\n"
        #expect(Turn.kernelsWords(in: "noise" + words)?.contains("Index out of range") == true)
        #expect(Turn.kernelsWords(in: "apus-kernel: ended by signal 11\n") != nil)
    }

    @Test("of what a guest has made as large as it likes, the ends are read")
    func endsOfErrors() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("first".utf8).write(to: file)
        #expect(Turn.ends(of: file) == "first")
        let handle = try FileHandle(forWritingTo: file)
        try handle.truncate(atOffset: 1 << 40)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("last".utf8))
        try handle.close()
        let ends = Turn.ends(of: file, 1000)
        #expect(ends.utf8.count == 2000)
        #expect(ends.hasPrefix("first") && ends.hasSuffix("last"))
    }

    @Test("the report tells each failure with the line that repeats its turn")
    func report() throws {
        var turn = Soak(Soak.Options()) { _ in }.plan(3, ["one", "two"])
        turn.failures = ["a canary: /dev/null: has changed"]
        var report = SoakReport(seed: 1)
        report.turns = [turn]
        #expect(report.failures == 1)
        #expect(report.markdown.contains("apus soak --seed 4 --only two --turns 1"))
        #expect(report.markdown.contains("/dev/null: has changed"))
        #expect(try JSONDecoder().decode(SoakReport.self, from: report.json).turns.first?.failures == turn.failures)
    }
}
