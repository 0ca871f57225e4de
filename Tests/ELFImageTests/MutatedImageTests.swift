import ELFImage
import LinuxABI
import Testing

/// Makes malformed images out of sound ones.
struct Mutator {
    private var random: SplitMix
    private let models: [[UInt8]]

    /// The fields of the header and of the first four program headers: where they begin, and how long they are.
    private static let fields: [(offset: Int, size: Int)] = {
        var fields = [(4, 1), (5, 1), (16, 2), (18, 2), (24, 8), (32, 8), (54, 2), (56, 2)]
        for header in 0..<4 {
            let start = 64 + 56 * header
            fields += [(start, 4), (start + 4, 4)] + (1...6).map { (start + 8 * $0, 8) }
        }
        return fields
    }()

    /// Values at the edges of what a check may test.
    private static let edges: [UInt64] = [
        0, 1, 2, 3, 7, 8, 55, 56, 57, 62, 63, 64, 73, 74, 255, 256, 0x300, 0x400, 0x401, 4095, 4096, 4097, 0x1400,
        65_535,
        0x40_0000, 0x40_0400, 0x6474_e551, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x5555_5555_5000, 0x7fff_7fff_f000,
        0x7fff_ffff_e000, 0x7fff_ffff_efff, 0x7fff_ffff_f000, 0x8000_0000_0000, 0x7fff_ffff_ffff_f000,
        0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, 0xffff_ffff_ffff_0000, 0xffff_ffff_ffff_f000,
        0xffff_ffff_ffff_f001, .max,
    ]

    init(seed: UInt64, models: [[UInt8]]) {
        random = SplitMix(state: seed)
        self.models = models
    }

    mutating func next() -> [UInt8] {
        guard var bytes = models.randomElement(using: &random) else { return [] }
        for _ in 0..<Int.random(in: 1...4, using: &random) { change(&bytes) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        switch Int.random(in: 0..<16, using: &random) {
        case 0: bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
        case 1...3:
            // Headers, the interpreter's path, or a script's line; never the code, which is run.
            bytes[Int.random(in: 0..<min(bytes.count, 0x340), using: &random)] = UInt8.random(
                in: 0...255, using: &random)
        case 4: swapProgramHeaders(&bytes)
        default:
            guard let field = Mutator.fields.randomElement(using: &random), field.offset + field.size <= bytes.count
            else { return }
            let edge = Mutator.edges.randomElement(using: &random) ?? 0
            let value = Int.random(in: 0..<8, using: &random) == 0 ? random.next() : edge
            for index in 0..<field.size {
                bytes[field.offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
            }
        }
    }

    private func swapProgramHeaders(_ bytes: inout [UInt8]) {
        guard bytes.count >= 64 + 112 else { return }
        let first = bytes[64..<120]
        bytes.replaceSubrange(64..<120, with: Array(bytes[120..<176]))
        bytes.replaceSubrange(120..<176, with: Array(first))
    }
}

@Suite("Mutated images")
struct MutatedImageTests {
    private static let interpreter = "/nowhere/ld.so"

    /// Programs of every kind, with BSS, and scripts.
    private static func models(interpreter path: String) -> [[UInt8]] {
        var bss = ImageBuilder.program(Code.exit42)
        bss.segments += [
            ImageBuilder.Segment(
                flags: 6, offset: 0x1000, address: 0x40_1000, fileSize: 0x234, memorySize: 0x5678),
            ImageBuilder.Segment(type: 0x6474_e551, flags: 6, alignment: 16),
            ImageBuilder.Segment(type: 7, flags: 4, offset: 0x1000, address: 0x40_1000, fileSize: 16, memorySize: 64),
        ]
        bss.size = 0x1400
        return [
            ImageBuilder.program(Code.exit42).bytes, ImageBuilder.program(Code.exit42, at: 0).bytes, bss.bytes,
            ImageBuilder.program(Code.exit42, interpreter: path).bytes,
            ImageBuilder.program(Code.exit42, at: 0, interpreter: path).bytes,
        ]
    }

    @Test("120,000 mutated programs and interpreters give a plan that holds together, or one of Linux's errnos")
    func plans() {
        var mutator = Mutator(seed: 2026, models: Self.models(interpreter: Self.interpreter))
        var verdicts: [String: Int] = [:]
        for _ in 0..<60_000 {
            let bytes = mutator.next()
            for isInterpreter in [false, true] {
                do throws(Errno) {
                    let plan =
                        isInterpreter
                        ? try LoadPlan(interpreter: BytesSource(bytes), taskSize: Judgement.taskSize) { _ in
                            0x7f00_0000_0000
                        }
                        : try LoadPlan(of: BytesSource(bytes), taskSize: Judgement.taskSize) { _, _ in 0x5555_5555_5000
                        }
                    verdicts[plan.failure == nil ? "plan" : "failure", default: 0] += 1
                    check(plan)
                } catch {
                    verdicts[error.description, default: 0] += 1
                    let allowed: [Errno] = isInterpreter ? [.EIO, .ELIBBAD] : [.ENOEXEC, .EIO, .EINVAL]
                    if !allowed.contains(error) { Issue.record("\(error) is none of execve's: \(bytes.prefix(256))") }
                }
            }
        }
        // Every verdict is met often: the mutations are neither harmless nor hopeless.
        for verdict in ["plan", "failure", "ENOEXEC", "ELIBBAD"] {
            #expect(verdicts[verdict, default: 0] > 5_000, "\(verdicts)")
        }
        for verdict in ["EIO", "EINVAL"] { #expect(verdicts[verdict, default: 0] > 50, "\(verdicts)") }
    }

    /// What the kernel relies on when it carries a plan out.
    private func check(_ plan: LoadPlan) {
        var isSound = plan.failure == nil || plan.steps.isEmpty
        for step in plan.steps {
            let (address, length): (UInt, UInt)
            switch step {
            case .file(let start, let count, let offset, let protection):
                (address, length) = (start, count)
                isSound = isSound && offset % 4096 == 0 && offset <= UInt64(Int64.max) - UInt64(count)
                isSound = isSound && protection & ~7 == 0 && start % 4096 == 0 && count % 4096 == 0
            case .anonymous(let start, let count, let protection):
                (address, length) = (start, count)
                isSound = isSound && protection & ~7 == 0 && start % 4096 == 0 && count % 4096 == 0
            case .zero(let start, let count):
                (address, length) = (start, count)
                isSound = isSound && count < 4096 && (start + count) % 4096 == 0
            }
            isSound = isSound && length > 0 && length <= Judgement.taskSize && address <= Judgement.taskSize - length
            isSound = isSound && plan.span.lowerBound <= address && address + length <= plan.span.upperBound
        }
        if !isSound { Issue.record("an unsound plan: \(plan)") }
    }

    @Test("100,000 mutated scripts give an interpreter, or ENOEXEC")
    func scripts() {
        let models = [
            "#!/bin/sh\n", "#! /usr/bin/env python3 -u \nprint(1)\n", "#!\t/a\tb c\t\n",
            "#!/" + String(repeating: "x", count: 260),
            "#!/bin/sh " + String(repeating: "y", count: 300) + "\n", "#!",
        ].map { Array($0.utf8) }
        var random = SplitMix(state: 77)
        let bytes: [UInt8] = [0, 9, 10, 13, 32, 33, 35, 47, 120, 255]
        var found = 0
        for _ in 0..<100_000 {
            guard var text = models.randomElement(using: &random) else { continue }
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let index = Int.random(in: 0..<min(text.count, 258), using: &random)
                text[index] = bytes.randomElement(using: &random) ?? 0
            }
            do throws(Errno) {
                guard let script = try ScriptHeader(text) else {
                    if text.starts(with: [35, 33]) { Issue.record("a script is none: \(text)") }
                    continue
                }
                found += 1
                let strings = [script.interpreter] + (script.argument.map { [$0] } ?? [])
                if strings.contains(where: { $0.contains(0) || $0.contains(10) || $0.count > 253 }) {
                    Issue.record("\(strings) from \(text)")
                }
            } catch {
                if error != .ENOEXEC { Issue.record("\(error) for \(text)") }
            }
        }
        #expect(found > 30_000)
    }

    @Test("what the loader says of mutated programs is what the host's kernel says")
    func native() throws {
        let kernel = try NativeKernel()
        let interpreter = ImageBuilder.program(Code.exit42, at: 0).bytes
        let path = try kernel.write(interpreter, as: "i")
        // The models have room for 64 bytes.
        try #require(path.utf8.count < 64)
        var mutator = Mutator(seed: 4711, models: Self.models(interpreter: path))
        var interpreters = Mutator(seed: 4712, models: [interpreter])
        var verdicts: [String: Int] = [:]
        for round in 0..<1_500 {
            let program = mutator.next()
            let own = round % 3 == 0 ? interpreters.next() : interpreter
            // 32-bit x86 is another loader's business, and page 0 another permission's.
            if isForI386(program) || isForI386(own) { continue }
            let mine = Judgement(program, interpreter: own, at: Array(path.utf8))
            _ = try kernel.write(own, as: "i")
            let native = try kernel.run(try kernel.write(program, as: "program")).outcome
            verdicts["\(mine)", default: 0] += 1
            let agrees =
                switch (mine, native) {
                // A mutated path is found or not by others than the loader.
                case (.refused(.ENOENT), .refused): true
                case (.refused(let error), .refused(let other)): error == other
                case (.dies, .killed(signal: 11)): true
                // What a mutated program does once it runs is its own affair.
                case (.starts, .exited), (.starts, .killed): true
                default: false
                }
            if !agrees {
                Issue.record("the loader: \(mine), Linux: \(native): \(program.prefix(400)) \(own.prefix(200))")
            }
        }
        #expect(verdicts["starts", default: 0] > 200 && verdicts["dies", default: 0] > 200, "\(verdicts)")
    }
}

private func isForI386(_ bytes: [UInt8]) -> Bool { bytes.count > 19 && bytes[18] == 3 && bytes[19] == 0 }
