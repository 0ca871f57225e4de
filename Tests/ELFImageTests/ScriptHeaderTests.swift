import ELFImage
import LinuxABI
import Testing

@Suite("#! lines")
struct ScriptHeaderTests {
    private static func text(_ string: String) -> [UInt8] { Array(string.utf8) }

    @Test(
        "what does not begin with #! is no script", arguments: ["", "#", "# !/bin/sh\n", "\u{7f}ELF", " #!/bin/sh\n"])
    func none(text: String) throws {
        #expect(try ScriptHeader(Self.text(text)) == nil)
    }

    @Test(
        "interpreter and one argument, however many words it has",
        arguments: [
            ("#!/bin/sh\n", "/bin/sh", nil), ("#! \t /bin/sh \t \n", "/bin/sh", nil),
            ("#!/bin/sh -x\n", "/bin/sh", "-x"),
            ("#!/usr/bin/env -S python3 -u \nprint()\n", "/usr/bin/env", "-S python3 -u"),
            ("#!/bin/sh\r\n", "/bin/sh\r", nil),
            // Without a newline the trailing blanks belong to the argument, and make one.
            ("#!/bin/sh", "/bin/sh", nil), ("#!/bin/sh -x ", "/bin/sh", "-x "), ("#!/bin/sh ", "/bin/sh", ""),
            // A NUL ends a string.
            ("#!/bin/sh\0-x\n", "/bin/sh", nil), ("#!/bin/sh a\0b\n", "/bin/sh", "a"), ("#!", "", nil),
            ("#!\0x\n", "", nil),
        ] as [(String, String, String?)])
    func lines(text: String, interpreter: String, argument: String?) throws {
        let script = try #require(try ScriptHeader(Self.text(text)))
        #expect(script.interpreter == Self.text(interpreter))
        #expect(script.argument == argument.map(Self.text))
    }

    @Test(
        "a line without an interpreter is ENOEXEC, and so is one whose interpreter is cut off",
        arguments: [
            "#!\n", "#! \t\n", "#!" + String(repeating: " ", count: 300), "#!/" + String(repeating: "x", count: 253),
            "#!/" + String(repeating: "x", count: 300) + "\n",
        ])
    func malformed(text: String) {
        #expect(throws: Errno.ENOEXEC) { try ScriptHeader(Self.text(text)) }
    }

    @Test("256 bytes are looked at: the longest interpreter, and an argument that is cut off")
    func limits() throws {
        let long = "/" + String(repeating: "x", count: 252)
        #expect(try ScriptHeader(Self.text("#!\(long)\n"))?.interpreter == Self.text(long))
        #expect(try ScriptHeader(Self.text("#!\(long) -x\n"))?.argument == nil)
        let cut = try ScriptHeader(Self.text("#!/bin/sh " + String(repeating: "a", count: 400) + "\n"))
        #expect(cut?.argument?.count == 255 - 10)
    }

    @Test("the interpreter gets itself, its argument, the script, and the script's arguments")
    func arguments() throws {
        let script = try #require(try ScriptHeader(Self.text("#!/bin/a b c\n")))
        let words = script.arguments(script: Self.text("./s"), original: ["name", "one", "two"].map(Self.text))
        #expect(words == ["/bin/a", "b c", "./s", "one", "two"].map(Self.text))
    }

    @Test("1,000 mutated lines mean what they mean to the host's kernel")
    func native() throws {
        let kernel = try NativeKernel()
        let interpreter = try kernel.write(ImageBuilder.program(Code.dumpStack).bytes, as: "i")
        var random = SplitMix(state: 5)
        let length = interpreter.utf8.count
        let models = [
            "#!\(interpreter)\n", "#! \(interpreter) -a  b \nrest\n", "#!\(interpreter)", "#!\t\(interpreter)\t", "#!",
            "#!\(interpreter) " + String(repeating: "z", count: 254 - 3 - length) + "\n",
            "#!\(interpreter) " + String(repeating: "z", count: 300),
            "#!" + String(repeating: "/", count: 254 - length) + interpreter, "#!" + String(repeating: " ", count: 260),
            "#!" + String(repeating: "/", count: 253 - length) + interpreter + " ",
            "#!" + String(repeating: "/", count: 252 - length) + interpreter + " x",
        ].map(Self.text)
        let bytes: [UInt8] = [0, 9, 10, 13, 32, 32, 32, 65]
        var started = 0
        for round in 0..<1_000 {
            var text = models[round % models.count]
            if round >= models.count {
                for _ in 0..<Int.random(in: 1...3, using: &random) where text.count > 2 {
                    // Around the interpreter's ends and the line's, not inside of the path.
                    let places = [2, 2 + length, 3 + length, 4 + length, text.count - 1, 253, 254, 255].filter {
                        (2..<text.count).contains($0)
                    }
                    text[places.randomElement(using: &random) ?? 2] = bytes.randomElement(using: &random) ?? 0
                }
            }
            let path = try kernel.write(text, as: "s")
            let (outcome, output) = try kernel.run(path, [Self.text("name"), Self.text("one")])
            let script: ScriptHeader?
            do throws(Errno) {
                script = try ScriptHeader(text)
            } catch {
                if outcome != .refused(error) { Issue.record("\(error), but Linux: \(outcome): \(text)") }
                continue
            }
            guard let script else { continue }
            // Blanks and NULs may have made another path of the interpreter's.
            let same = Array(script.interpreter.reversed().prefix(length).reversed()) == Self.text(interpreter)
            guard same, script.interpreter.dropLast(length).allSatisfy({ $0 == 0x2f }) else {
                if case .refused = outcome { continue }
                Issue.record("\(script) for \(text), but Linux: \(outcome)")
                continue
            }
            started += 1
            let expected = script.arguments(script: Self.text(path), original: [Self.text("name"), Self.text("one")])
            let native = try #require(StackDump(output)).arguments
            if outcome != .exited(42) || native != expected {
                Issue.record("\(expected), but Linux: \(native): \(text)")
            }
        }
        #expect(started > 200)
    }

    @Test("five scripts may name each other; a sixth is ELOOP for the host as for the loader's limit")
    func depth() throws {
        let kernel = try NativeKernel()
        var path = try kernel.write(ImageBuilder.program(Code.exit42).bytes, as: "program")
        for level in 1...6 {
            path = try kernel.write(Self.text("#!\(path)\n"), as: "script\(level)")
            let expected: NativeKernel.Outcome =
                level <= ScriptHeader.maximumDepth ? .exited(42) : .refused(.ELOOP)
            #expect(try kernel.run(path).outcome == expected, "\(level) scripts")
        }
    }
}
