import Diff
import Testing

@testable import Expect

@Suite("expectations")
struct ExpectationsTests {
    static func difference(_ divergences: [Divergence]) -> CaseDifference {
        var counts: [String: Int] = [:]
        for divergence in divergences { counts[divergence.kind.rawValue, default: 0] += 1 }
        return CaseDifference(verdict: .different, divergences: divergences, counts: counts)
    }

    static let errno = Divergence(kind: .errno, cause: .bug, call: "pread64", field: "result", explanation: "")

    @Test("an unexpected divergence fails its case")
    func unexpected() {
        let judgement = Expectations().judge(Self.difference([Self.errno]), case: "files/pread", variant: "musl-static")
        #expect(judgement.verdict == .fail)
        #expect(judgement.unexpected == [0])
        #expect(judgement.firstUnexpected == 0)
    }

    @Test("an expected divergence does not, and its reason is told")
    func expected() throws {
        let expectations = try Expectations.parse(
            """
            - case: files/pre*
              variant: musl-*
              class: errno
              call: pread64
              reason: "known: the kernel checks the offset later"
              issue: 12
            """, file: "expectations.yaml")
        #expect(expectations.entries.first?.line == 1)
        let judgement = expectations.judge(Self.difference([Self.errno]), case: "files/pread", variant: "musl-static")
        #expect(judgement.verdict == .expected)
        #expect(judgement.expected.first?.reason == "known: the kernel checks the offset later")
        #expect(judgement.expected.first?.issue == "12")
        let other = expectations.judge(Self.difference([Self.errno]), case: "files/pread", variant: "glibc-static")
        #expect(other.verdict == .fail)
    }

    @Test("an entry that names a file or a value explains only what concerns it")
    func narrow() throws {
        let expectations = try Expectations.parse(
            """
            - case: [files/*, time/*]
              class: [value, errno]
              call: [stat, fstat]
              path: /dev/null
              native: "S_IFCHR|00"
              reason: the host's is odd
            - case: "*"
              class: missing-call
              reading: /proc/*/maps
              intermittent: true
              reason: another text
            """, file: "e.yaml")
        var divergence = Divergence(kind: .value, cause: .bug, call: "fstat", native: "S_IFCHR|00", explanation: "")
        func verdict() -> Judgement.Verdict {
            expectations.judge(Self.difference([divergence]), case: "files/a", variant: "v").verdict
        }
        #expect(verdict() == .fail)
        divergence.path = "/dev/null"
        #expect(verdict() == .expected)
        divergence.native = "S_IFCHR|0666"
        #expect(verdict() == .fail)
        divergence = Divergence(kind: .missingCall, cause: .bug, call: "read", explanation: "")
        #expect(verdict() == .fail)
        divergence.reading = "/proc/12/maps"
        #expect(verdict() == .expected)
        // Chance decides about the second: it is never stale.
        let judgement = expectations.judge(Self.difference([]), case: "files/a", variant: "v")
        #expect(expectations.stale(after: [("files/a", "v", judgement)]).map(\.line) == [1])
    }

    @Test("a divergence that explains itself neither fails nor needs an expectation")
    func explained() {
        var divergence = Self.errno
        divergence.cause = .environment
        let judgement = Expectations().judge(Self.difference([divergence]), case: "a/b", variant: "v")
        #expect(judgement.verdict == .pass)
        #expect(judgement.unexpected.isEmpty)
    }

    @Test("divergences that were not kept count as unexpected")
    func truncated() throws {
        var difference = Self.difference([Self.errno])
        difference.counts["errno"] = 1000
        let expectations = Expectations([Expectation(patterns: ["*"], kinds: [.errno], reason: "known")])
        #expect(expectations.judge(difference, case: "a/b", variant: "v").verdict == .fail)
    }

    @Test("what is expected but never seen is stale, unless its cases did not run")
    func stale() {
        let entry = Expectation(patterns: ["a/*"], kinds: [.signal], reason: "known")
        let absent = Expectation(patterns: ["z/*"], kinds: [.signal], reason: "known")
        let expectations = Expectations([entry, absent])
        let judgement = expectations.judge(Self.difference([Self.errno]), case: "a/b", variant: "v")
        #expect(judgement.unseen == [entry])
        #expect(expectations.stale(after: [("a/b", "v", judgement)]) == [entry])
    }

    @Test(
        "an error names the file, the line, what is wrong and the remedy",
        arguments: [
            ("- case: a\n  class: errno\n", 1, "no 'reason'"),
            ("- case: a\n  class: wrong\n  reason: x\n", 2, "'wrong' is no divergence class"),
            ("- case: a\n  class: errno\n  reason: x\n  why: y\n", 4, "no key 'why'"),
            ("case: a\n", 1, "not a list"),
            ("- case: {a: b}\n  class: errno\n  reason: x\n", 1, "'case' is not one value"),
            ("- case: a\n  class: errno\n  native: [x]\n  reason: x\n", 3, "'native' is not one value"),
            ("- case: a\n  class: errno\n  intermittent: perhaps\n  reason: x\n", 3, "no truth value"),
            ("- just text\n", 1, "not a mapping"),
            ("- case: a\n  class: \"errno\n", 3, "not YAML"),
        ])
    func errors(text: String, line: Int, sentence: String) throws {
        let error = #expect(throws: ExpectationsError.self) { try Expectations.parse(text, file: "e.yaml") }
        #expect(error?.line == line)
        #expect(error?.description.hasPrefix("e.yaml:\(line): ") == true)
        #expect(error?.sentence.contains(sentence) == true, "\(String(describing: error))")
        #expect(error?.remedy.isEmpty == false)
    }

    @Test("an empty file and a file that is not there hold no expectations")
    func empty() throws {
        #expect(try Expectations.parse("", file: "e").entries.isEmpty)
        #expect(try Expectations.parse("# only a comment\n", file: "e").entries.isEmpty)
        #expect(try Expectations.load("/nonexistent/expectations.yaml").entries.isEmpty)
    }

    @Test(
        "globs match as in a shell",
        arguments: [
            ("*", "", true), ("a*c", "abbc", true), ("a*c", "ab", false), ("?", "x", true), ("?", "", false),
            ("a*b*c", "axbxbxc", true), ("files/*", "files/x/y", true), ("", "", true), ("", "a", false),
        ])
    func globs(pattern: String, text: String, matches: Bool) {
        #expect(Glob.matches(pattern, text) == matches)
    }
}
