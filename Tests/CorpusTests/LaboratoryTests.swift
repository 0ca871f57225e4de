import Diff
import Foundation
import Testing

@testable import Corpus

/// The whole way of a case, with a stand-in for the sandbox that runs programs natively and errs as told.
@Suite(
    "the laboratory", .enabled(if: Scratch.standIn != nil, "skipped: kernel-stand-in is not built"),
    .enabled(if: Scratch.hasCompiler, "skipped: no C compiler"), .serialized)
struct LaboratoryTests {
    static let source = """
        /*
         * summary: a case
         * calls: getpid
         * args: one
         * stdin: in
         * file: data 644 x
         * variants: glibc-dynamic
         * timeout: TIMEOUT
         */
        #include <stdio.h>
        #include <unistd.h>
        int main(int count, char **words) {
            char byte = '?';
            read(0, &byte, 1);
            printf("%s %c %d\\n", words[1], byte, getpid() > 0);
            FILE *file = fopen("made", "w");
            fputs("made", file);
            return fclose(file);
        }
        """

    private func run(_ fault: String, timeout: Int = 20, source: String = source) throws -> (CaseResult, Scratch) {
        let scratch = try Scratch()
        try scratch.write(
            "corpus/files/one.c", source.replacingOccurrences(of: "TIMEOUT", with: String(timeout)))
        var options = TestRun.Options()
        options.repeatsFailures = false
        let run = TestRun(
            paths: CorpusPaths(root: scratch.path + "/corpus"), launcher: try scratch.launcher(fault: fault),
            options: options)
        let results = try run.run([]) { _, _, _ in }
        return (try #require(results.cases.first), scratch)
    }

    @Test("a sandbox that does as Linux does passes, and nothing is left in the stage")
    func same() throws {
        let (result, scratch) = try run("none")
        #expect(result.outcome == .pass, "\(result.reason ?? "") \(result.difference?.divergences ?? [])")
        #expect(result.native.count == 2)
        #expect(result.native.first?.output == "one i 1\n")
        #expect(result.sandbox.first?.output == "one i 1\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/corpus/build/stage").isEmpty)
    }

    @Test(
        "finds another output, status and file",
        arguments: [
            ("output", DivergenceClass.output, "stdout"), ("status", .exitStatus, "exit status"),
            ("file", .endState, "left-behind"),
        ])
    func outcomes(fault: String, kind: DivergenceClass, field: String) throws {
        let (result, _) = try run(fault)
        #expect(result.outcome == .fail)
        let found = try #require(result.difference?.divergences.first { $0.kind == kind })
        #expect(found.field == field)
        #expect(result.sandbox.first?.trace != nil)
    }

    @Test("a sandbox that breaks is a crash with its own reason", arguments: ["crash", "failure"])
    func breaks(fault: String) throws {
        let (result, _) = try run(fault)
        #expect(result.difference?.verdict == .crash)
        let text = result.sandbox.first?.ending ?? ""
        #expect(text.contains(fault == "crash" ? "killed by signal 9" : "the host forbids user namespaces"), "\(text)")
    }

    @Test("a sandbox that does not end is a hang with a dump of its threads")
    func hangs() throws {
        var dump: ThreadDump?
        // Longer when the host is so busy that a second brings no program to where it hangs.
        for seconds in [1, 15, 60] where dump?.name != "kernel-stand-in" || dump?.state != "S" {
            let (result, _) = try run("hang", timeout: seconds)
            if result.outcome == .invalid { continue }
            #expect(result.difference?.verdict == .hang)
            dump = result.sandbox.first?.threads.first
        }
        #expect(dump?.name == "kernel-stand-in")
        #expect(dump?.state == "S")
    }

    @Test("a case that does not build is broken, with the compiler's words")
    func broken() throws {
        let (result, _) = try run("none", source: Self.source + "\n#error this can't be\n")
        #expect(result.outcome == .broken)
        #expect(result.reason?.contains("this can't be") == true)
    }

    @Test("a case that hangs natively is invalid, not different")
    func invalid() throws {
        let hang = Self.source.replacingOccurrences(of: "char byte", with: "pause(); char byte")
        let (result, _) = try run("none", timeout: 1, source: hang)
        #expect(result.outcome == .invalid)
        #expect(result.reason?.contains("still running") == true)
    }

    @Test("is not entered twice at a time")
    func locked() throws {
        let scratch = try Scratch()
        let paths = CorpusPaths(root: scratch.path)
        let lock = try BuildLock(paths)
        let error = #expect(throws: CorpusError.self) { try BuildLock(paths) }
        #expect(error?.code == .busy)
        withExtendedLifetime(lock) {}
    }

    @Test("builds again only what has changed")
    func incremental() throws {
        let scratch = try Scratch()
        let paths = CorpusPaths(root: scratch.path)
        try scratch.write("include/shared.h", "#define ONE 1\n")
        let file = try scratch.write("files/one.c", "#include \"shared.h\"\nint main(void) { return ONE; }\n")
        let item = CorpusCase(
            family: "files", name: "one", file: file, summary: "",
            subject: .source(arguments: [], variants: [], linkFlags: []), timeout: 5)
        func built() throws -> Date? {
            guard case .built(let path) = try Builder(paths: paths).build(item, .glibcDynamic, linkFlags: []) else {
                return nil
            }
            return try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        }
        let first = try #require(try built())
        #expect(try built() == first)
        try scratch.write("include/shared.h", "#define ONE 2\n")
        let second = try #require(try built())
        #expect(second > first)
    }

    @Test("the results survive the store, and another version is refused")
    func store() throws {
        let (result, scratch) = try run("output")
        var results = Results(date: "2026-01-01T00:00:00Z", host: HostFacts.current())
        results.cases = [result]
        let path = scratch.path + "/results.json"
        try ResultStore.write(results, to: path)
        let read = try ResultStore.read(path)
        #expect(read.cases.first?.difference?.divergences == result.difference?.divergences)
        #expect(read.cases.first?.native == result.native)
        results.version = 99
        try ResultStore.write(results, to: path)
        let error = #expect(throws: CorpusError.self) { try ResultStore.read(path) }
        #expect(error?.what.contains("version 99") == true)
    }
}
