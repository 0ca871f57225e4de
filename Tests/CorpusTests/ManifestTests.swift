import Testing

@testable import Corpus

@Suite("the manifest of a C case")
struct ManifestTests {
    private func parse(_ text: String) throws(CorpusError) -> CorpusCase {
        try ManifestParser.parse(text, file: "corpus/files/pread.c", family: "files", name: "pread")
    }

    private func failure(_ text: String) -> CorpusError? {
        do throws(CorpusError) {
            _ = try parse(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("holds every key")
    func allKeys() throws {
        let found = try parse(
            #"""
            /*
             * summary: pread does not move the offset, and knows EBADF: always
             * calls: pread64 lseek
             * args: one "two words" 'and "three"' four\ five
             * stdin: first\nsecond\t\x41\\
             * env: KEY=a value=1
             * env: OTHER=
             * file: data/in.txt 640 one\ntwo\n
             * file: empty 600
             * variants: glibc-dynamic musl-static
             * link: -lm -ldl
             * needs: user-namespaces
             * timeout: 7
             */
            int main(void) {}
            """#)
        #expect(found.id == "files/pread")
        #expect(found.summary == "pread does not move the offset, and knows EBADF: always")
        #expect(found.calls == ["pread64", "lseek"])
        #expect(
            found.subject
                == .source(
                    arguments: ["one", "two words", "and \"three\"", "four five"],
                    variants: [.glibcDynamic, .muslStatic], linkFlags: ["-lm", "-ldl"]))
        #expect(found.standardInput == Array("first\nsecond\tA\\".utf8))
        #expect(found.environment == [EnvironmentEntry("KEY", "a value=1"), EnvironmentEntry("OTHER", "")])
        #expect(
            found.files == [
                PlacedFile(path: "data/in.txt", mode: 0o640, content: Array("one\ntwo\n".utf8)),
                PlacedFile(path: "empty", mode: 0o600, content: []),
            ])
        #expect(found.needs == [.userNamespaces])
        #expect(found.timeout == 7)
    }

    @Test("needs only a summary and the calls; the rest has defaults")
    func defaults() throws {
        let found = try parse("/*\n * summary: s\n * calls: read\n */\n")
        #expect(found.subject == .source(arguments: [], variants: BuildVariant.allCases, linkFlags: []))
        #expect(found.standardInput.isEmpty)
        #expect(found.timeout == 20)
    }

    @Test(
        "an error names the line, what is wrong and the remedy",
        arguments: [
            ("int main(void) {}", 1, "does not start with its manifest"),
            ("/*\n * summary: s\n * calls: read\n", 1, "never closed"),
            ("/*\n * calls: read\n */", 1, "no summary"),
            ("/*\n * summary: s\n */", 1, "names no calls"),
            ("/*\n * summary: s\n * sumary: s\n */", 3, "unknown key 'sumary'"),
            ("/*\n * summary: s\n * summary: s\n */", 3, "a second time"),
            ("/*\n * summary: s\n * just prose\n */", 3, "not 'key: value'"),
            ("/*\n * args: \"open\n */", 2, "never closed"),
            ("/*\n * stdin: \\q\n */", 2, "not a known escape"),
            ("/*\n * stdin: \\x4\n */", 2, "two hexadecimal digits"),
            ("/*\n * env: NOVALUE\n */", 2, "not KEY=VALUE"),
            ("/*\n * file: name\n */", 2, "not 'path mode content'"),
            ("/*\n * file: ../name 644 x\n */", 2, "leaves the working directory"),
            ("/*\n * file: /name 644 x\n */", 2, "leaves the working directory"),
            ("/*\n * file: name 999 x\n */", 2, "not 'path mode content'"),
            ("/*\n * variants: glibc\n */", 2, "unknown variant 'glibc'"),
            ("/*\n * variants:\n */", 2, "no variant is given"),
            ("/*\n * needs: luck\n */", 2, "unknown need 'luck'"),
            ("/*\n * timeout: soon\n */", 2, "not a number of seconds"),
            ("/*\n * timeout: 0\n */", 2, "not a number of seconds"),
        ])
    func errors(text: String, line: Int, what: String) throws {
        let error = try #require(failure(text))
        #expect(error.line == line)
        #expect(error.what.contains(what), "\(error)")
        #expect(!error.remedy.isEmpty)
        #expect(error.description.hasPrefix("corpus/files/pread.c:\(line): "))
    }
}

@Suite("a program of the corpus")
struct ProgramFileTests {
    private func parse(_ text: String) throws(CorpusError) -> CorpusCase {
        try ProgramFile.parse(text, file: "corpus/programs/sort.yaml", family: "programs", name: "sort")
    }

    @Test("holds every key")
    func allKeys() throws {
        let found = try parse(
            """
            summary: sort and uniq agree
            packages: [coreutils, bash]
            command: ["bash", "-c", "sort words | uniq"]
            stdin: "b\\na\\n"
            env: {LC_ALL: C, N: 3}
            files: {words: "b\\na\\n", run: "#!/bin/sh\\n"}
            timeout: 90
            """)
        #expect(found.subject == .command(["bash", "-c", "sort words | uniq"], packages: ["coreutils", "bash"]))
        #expect(found.standardInput == Array("b\na\n".utf8))
        #expect(found.environment == [EnvironmentEntry("LC_ALL", "C"), EnvironmentEntry("N", "3")])
        #expect(found.files.map(\.mode) == [0o644, 0o755])
        #expect(found.timeout == 90)
    }

    @Test(
        "malformed input is refused with its line",
        arguments: [
            ("", nil, ""),
            ("- a\n- b\n", 1, "not a mapping"),
            ("summary: s\n", 1, "summary or command is missing"),
            ("summary: s\ncommand: ls -l\n", 2, "not a list"),
            ("summary: s\ncommand: []\n", 2, "the command is empty"),
            ("summary: s\ncommand: [[ls]]\n", 2, "not a text"),
            ("summary: [s]\ncommand: [ls]\n", 1, "not a text"),
            ("summary: s\ncommand: [ls]\nbogus: 1\n", 3, "unknown key 'bogus'"),
            ("summary: s\ncommand: [ls]\nenv: [A]\n", 3, "not a mapping"),
            ("summary: s\ncommand: [ls]\nfiles: {../x: y}\n", 3, "leaves the working directory"),
            ("summary: s\ncommand: [ls]\ntimeout: later\n", 3, "not a number of seconds"),
            ("summary: s\ncommand: [ls]\nneeds: [luck]\n", 3, "unknown need"),
            ("summary: s\ncommand: [ls\n", nil, "not YAML"),
            ("summary: s\nsummary: t\ncommand: [ls]\n", nil, ""),
        ] as [(String, Int?, String)])
    func errors(text: String, line: Int?, what: String) throws {
        let error = try #require(throws: CorpusError.self) { try parse(text) }
        if let line { #expect(error.line == line, "\(error)") }
        #expect(error.what.contains(what), "\(error)")
    }
}

@Suite("SHA-256")
struct ContentHashTests {
    @Test(
        "gives the digests of FIPS 180-4's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func vectors(text: String, digest: String) {
        #expect(ContentHash.of(Array(text.utf8)) == digest)
    }

    @Test("does not depend on how the bytes are fed")
    func pieces() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for size in [1, 55, 63, 64, 65, 128, 999] {
            var hash = ContentHash()
            var rest = bytes[...]
            while !rest.isEmpty {
                hash.update(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(hash.hexadecimal == ContentHash.of(bytes))
            #expect(hash.count == 1000)
        }
    }
}
