import Corpus
import Foundation
import Synchronization
import Testing
import TraceModel

@testable import Bench

/// The bench program itself, natively, and the watchdog.
@Suite("measuring", .enabled(if: HostProgram.find("gcc") != nil, "skipped: no C compiler"), .serialized)
struct RigTests {
    private final class Complaints: Sendable {
        private let text = Mutex("")
        var all: String { text.withLock { $0 } }
        func add(_ more: String) { text.withLock { $0 += more } }
    }

    private static let callNames = Bench.Operation.all.filter { operation in
        if case .call = operation.work { true } else { false }
    }.map(\.name)

    private let complaints = Complaints()
    private let rig: Rig
    private let cleanUp: CleanUp

    private final class CleanUp {
        let fixtures: Fixtures
        init(_ fixtures: Fixtures) { self.fixtures = fixtures }
        deinit { fixtures.remove() }
    }

    init() throws {
        let program = try BenchProgram(folder: Sources.folder).build()
        let fixtures = Fixtures(folder: NSTemporaryDirectory() + "apus-bench-\(UUID().uuidString)")
        cleanUp = CleanUp(fixtures)
        try FileManager.default.createDirectory(atPath: fixtures.folder, withIntermediateDirectories: true)
        rig = Rig(
            program: program, fixtures: fixtures, seconds: 20, milliseconds: 1, complain: complaints.add)
    }

    /// A rig that is impatient.
    private var hasty: Rig {
        Rig(
            program: rig.program, fixtures: rig.fixtures, seconds: 1, milliseconds: 1, complain: complaints.add)
    }

    /// The processes whose command line has a word.
    private func processes(with word: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { name in
            let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
            return Int(name) != nil
                && String(decoding: line, as: UTF8.self).split(separator: "\0").contains { $0 == word }
        }
    }

    @Test(
        "the bench program knows every call",
        arguments: RigTests.callNames)
    func calls(name: String) throws {
        let operation = try #require(Bench.Operation.all.first { $0.name == name })
        #expect(try rig.figure(operation, .native, .all) > 0)
    }

    @Test(
        "it refuses what it does not know", arguments: [["micro", "nothing"], ["life", "0", "true"], ["guard"], []])
    func unknown(words: [String]) throws {
        let outcome = try HostProgram.run([rig.program] + words, seconds: 20)
        #expect(outcome.status.exitCode == 64)
    }

    @Test("a life is as long as the command's")
    func lives() throws {
        let text = try rig.output([rig.program, "life", "2", "sleep", "0.02"], .all)
        let figures = try Rig.figures(text)
        #expect(figures.count == 2)
        #expect(figures.allSatisfy { $0 >= 20e6 })
    }

    @Test("a command that fails is no figure, and says why")
    func failing() {
        do throws(MeasuringFailure) {
            _ = try rig.output([rig.program, "life", "1", "sh", "-c", "echo sorry >&2; exit 3"], .all)
            Issue.record("it passed")
        } catch {
            #expect(error.text.contains("status 1"))
            #expect(error.text.contains("sorry"))
            #expect(error.text.contains("ended by status 3"))
        }
    }

    @Test("bound to one, there is one processor")
    func bound() throws {
        #expect(try rig.output(["/usr/bin/nproc"], .one) == "1\n")
    }

    @Test("what hangs is ended with all that it has started, and its threads are shown")
    func watchdog() {
        do throws(MeasuringFailure) {
            _ = try hasty.output(["/bin/sh", "-c", "(setsid sleep 98.7651 &) ; sleep 98.7651; true"], .all)
            Issue.record("it ended")
        } catch {
            #expect(error.text.contains("no end after 1 s"))
        }
        #expect(complaints.all.contains("sleep: S, waits in"), "\(complaints.all)")
        #expect(processes(with: "98.7651") == [])
    }

    @Test("what a command leaves behind is ended, and counts as failed")
    func leftBehind() {
        do throws(MeasuringFailure) {
            _ = try rig.output(["/bin/sh", "-c", "setsid sleep 98.7652 > /dev/null 2>&1 & true"], .all)
            Issue.record("it passed")
        } catch {
            #expect(error.text.contains("left behind"), "\(error.text)")
        }
        #expect(processes(with: "98.7652") == [])
    }

    @Test("the idle guest's processes have a size")
    func idle() throws {
        let operation = try #require(Bench.Operation.all.first { $0.name == "idle" })
        let size = try rig.figure(operation, .native, .all)
        #expect(size > 10_000 && size < 10e6, "\(size)")
    }

    @Test("a runtime that is not there, or does not run, takes no part and says why")
    func runtimes() {
        #expect(BenchRun.tried(Runtime("nobody", ["no-such-program"]), rig).skipped == "is not installed")
        let reason = BenchRun.tried(Runtime("no", ["/bin/false"]), rig).skipped ?? ""
        #expect(reason.hasPrefix("does not run here"), "\(reason)")
        #expect(BenchRun.tried(Runtime("plain", []), rig).skipped == nil)
        #expect(Runtime("x", ["x", "-y"]).command(["true", "a"]) == ["x", "-y", "/usr/bin/true", "a"])
    }

    @Test("the fixtures are what they are said to be, and go")
    func fixtures() throws {
        #expect(Fixtures.source.split(separator: "\n").count == 501)
        #expect(Fixtures.history.split(separator: "\n").count { $0.hasPrefix("committer ") } == 100)
        let fixtures = Fixtures(folder: rig.fixtures.folder + "/more")
        try fixtures.prepare()
        let compiled = try rig.output(
            ["/usr/bin/gcc", "-O1", "-c", "-o", fixtures.path("lines.o"), fixtures.path("lines.c")], .all)
        #expect(compiled == "")
        fixtures.remove()
        #expect(!FileManager.default.fileExists(atPath: fixtures.folder))
    }

    @Test("the program is built once")
    func build() throws {
        func changed() throws -> Date? {
            try FileManager.default.attributesOfItem(atPath: rig.program)[.modificationDate] as? Date
        }
        let before = try changed()
        #expect(try BenchProgram(folder: Sources.folder).build() == rig.program)
        #expect(try changed() == before)
        #expect(throws: CorpusError.self) { try BenchProgram(folder: "/nowhere").build() }
    }
}
