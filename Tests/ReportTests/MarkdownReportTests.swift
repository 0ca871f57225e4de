import Corpus
import Diff
import Testing

@testable import Report

@Suite("report.md")
struct MarkdownReportTests {
    @Test("tells a small run as this text")
    func snapshot() {
        let results = Sample.results
        let text = MarkdownReport(results, Coverage(results)).text
        let head = text.components(before: "## System calls")
        #expect(
            head == """
                # Compatibility report

                1 of 5 runs behave as on Linux, 1 differ, 1 differ as expected, 1 could not be compared, 1 were skipped.

                1 of 3 compared runs shows its user something else (output, exit status, files, a crash or a hang), as expected.

                *2026-01-31 12:00 UTC · Debian 12, Linux 6.1.0, x86_64, 2 processors · 12.5 s*

                ## Wrong manifests

                - `corpus/files/bad.c:3: unknown key 'sumary'; the keys are summary`

                ## Families

                | family  |  runs |  pass | expected | unstable |  fail | invalid | skipped | broken |
                | ------- | ----: | ----: | -------: | -------: | ----: | ------: | ------: | -----: |
                | files   |     4 |     1 |        0 |        0 |     1 |       0 |       1 |      1 |
                | time    |     1 |     0 |        1 |        0 |     0 |       0 |       0 |      0 |
                | **all** | **5** | **1** |    **1** |    **0** | **1** |   **0** |   **1** |  **1** |

                ## Divergences by class

                Expected ones stand in `corpus/expectations`; explained ones come from the environment, the clock or a race.

                | class  | meaning                                             | open | expected | explained | runs |
                | ------ | --------------------------------------------------- | ---: | -------: | --------: | ---: |
                | errno  | a call failed otherwise, or failed where it did not |    1 |        0 |         0 |    1 |
                | output | other output                                        |    0 |        1 |         0 |    1 |

                ## First divergences

                ### files/write@musl-static

                write & what it does

                **errno** `write: result`: write gives EINVAL & not EBADF

                ```text
                        | openat(<fd1>) = 3
                native  | write(9, "a→<b>") = -1 EBADF
                sandbox | write(9, "a·<b>") = -1 EINVAL
                sandbox | exit_group(1)
                ```

                """ + "\n")
    }

    @Test("an unstable case is counted by itself, and says what differed")
    func unstable() {
        var results = Sample.results
        results.cases = [Sample.unstable]
        let text = MarkdownReport(results, Coverage(results)).text
        #expect(text.contains("0 of 1 run behave as on Linux, 1 differ in one of two runs."))
        #expect(
            text.contains(
                "- [files/write@musl-static](cases/files.write.musl-static.html): write gives EINVAL & not EBADF"))
        #expect(!text.contains("## First divergences"))
    }

    @Test("a table is as wide as its widest cell, and escapes its own notation")
    func table() {
        let text = MarkdownReport.table(["a", "number"], [["x|y", "1"], ["longer", "22"]], numbersFrom: 1)
        #expect(
            text == """
                | a      | number |
                | ------ | -----: |
                | x\\|y   |      1 |
                | longer |     22 |
                """)
    }

    @Test("code and blocks hold whatever is in them")
    func fences() {
        #expect(MarkdownReport.code("a") == "`a`")
        #expect(MarkdownReport.code("a`b``c") == "``` a`b``c ```")
        #expect(MarkdownReport.fenced(["```"]) == "````text\n```\n````")
        #expect(MarkdownReport.plain("a_b*<c>") == "a\\_b\\*\\<c\\>")
    }
}

extension String {
    fileprivate func components(before marker: String) -> String {
        firstRange(of: marker).map { String(self[..<$0.lowerBound]) } ?? self
    }
}

@Suite("marking what differs in two lines")
struct LineMarksTests {
    private func show(_ segments: [LineSegment]) -> String {
        segments.map { $0.isChanged ? "[\($0.text)]" : $0.text }.joined()
    }

    @Test(
        "marks whole words, and shows blanks only where they differ",
        arguments: [
            ("read(3) = 12", "read(3) = 13", "read(3) = [12]", "read(3) = [13]"),
            ("a b", "a  b", "a[·]b", "a[··]b"),
            ("f(1)    = 0", "f(12)   = 0", "f([1])    = 0", "f([12])   = 0"),
            ("end", "end ", "end", "end[·]"),
            ("a\tb", "a b", "a[→]b", "a[·]b"),
            ("same\ttab", "same\ttab", "same\ttab", "same\ttab"),
            ("", "x", "", "[x]"),
            ("x\u{1}", "x\u{2}", "x[\u{2401}]", "x[\u{2402}]"),
            ("openat = 3", "open = 3", "[openat] = 3", "[open] = 3"),
        ])
    func marks(left: String, right: String, first: String, second: String) {
        let marks = LineMarks.compare(left, right)
        #expect(show(marks.left) == first)
        #expect(show(marks.right) == second)
    }

    @Test("loses no visible character of either line")
    func keepsText() {
        let lines = ["", "a", "ab", "abc", "xbc", "a-b-c", "a-x-c", "aa", "aaa", "12 34", "12 35"]
        for left in lines {
            for right in lines {
                let marks = LineMarks.compare(left, right)
                #expect(marks.left.map(\.text).joined().replacing("·", with: " ") == left)
                #expect(marks.right.map(\.text).joined().replacing("·", with: " ") == right)
            }
        }
    }
}

@Suite("the coverage of system calls")
struct CoverageTests {
    @Test("joins what the sandbox has with what the corpus makes")
    func joins() throws {
        let coverage = Coverage(Sample.results)
        let read = try #require(coverage.rows.first { $0.name == "read" })
        #expect(read.status == .full)
        #expect(read.native == 3)
        #expect(read.cases == 1)
        let write = try #require(coverage.rows.first { $0.name == "write" })
        #expect(write.status == .partial)
        #expect(write.divergences == 1)
        #expect(coverage.exercised(.full) == 1)
        #expect(coverage.wanted.map(\.name) == ["epoll_create"])
        #expect(coverage.rows.first { $0.name == "tuxcall" }?.status == .absent)
        #expect(Coverage.Status.allCases.map(coverage.count).reduce(0, +) == coverage.rows.count)
    }
}
