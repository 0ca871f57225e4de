internal import Corpus
internal import Foundation
internal import HostSystem
internal import LinuxABI
internal import Trace
internal import TraceModel

/// One guest in one sandbox.
package struct Turn: Codable, Sendable {
    package var guest: String
    package var seed: UInt64
    package var isShort: Bool
    /// After how many traps call sites are patched.
    package var patchAfter: Int
    /// Whether the kernel process's calls were watched.
    package var isTraced: Bool
    /// Whether the guest saw a root of its own, and not the host's.
    package var isStaged: Bool
    /// Bytes, if the sandbox had a limit.
    package var memory: Int?
    /// Whether a process of the sandbox was killed in the midst of it.
    package var isKilled: Bool

    package var seconds = 0.0
    package var status = 0
    /// Host calls of the kernel process that were seen, and which numbers.
    package var hostCalls = 0
    package var hostNumbers: [Int] = []
    package var pulseCalls = 0
    package var worst = 0
    package var twinWorst = 0
    var stillnesses: [Pulse.Stillness] = []
    /// What must not have happened.
    package var failures: [String] = []

    /// What a shell needs to see the same again.
    package var command: String {
        "apus soak --seed \(seed) --only \(guest) --turns 1 --patch-after \(patchAfter)" + (isShort ? " --short" : "")
            + (isTraced ? " --traced" : " --untraced") + (isStaged ? " --staged" : "")
            + (memory == nil ? "" : " --limited")
    }

    /// For how many milliseconds a guest may stand still whose kernel is watched, or whose turn is a short one.
    static let watchedPatience = 2000

    /// How long a turn may take.
    private static let limit = 240.0

    /// Runs it, and notes what came of it.
    mutating func run(_ workshop: Workshop, _ canaries: Canaries, twin: Companion) throws {
        let begun = Date()
        let output = Pipe()
        let input = Pipe()
        let errors = workshop.folder.appendingPathComponent("errors")
        try Data().write(to: errors)
        // What the kernel says last stands at the end, wherever a guest moves its position.
        let plain = try FileHandle(forWritingTo: errors)
        let handle = FileHandle(
            fileDescriptor: try Host.reopen(plain.fileDescriptor, flags: [.writeOnly, .append]), closeOnDealloc: true)
        try plain.close()
        var command = NativeTracer.Command(
            workshop.kernel, words(workshop), environment: ["SWIFT_BACKTRACE=enable=no"], workingDirectory: "/")
        command.standardInput = input.fileHandleForReading.fileDescriptor
        command.standardOutput = output.fileHandleForWriting.fileDescriptor
        command.standardError = handle.fileDescriptor
        command.startsSession = true
        let watch = CallWatch(isTracing: isTraced, isSeal: Turn.isSeal, admits: Turn.admits)
        var scene = Scene(turn: self, output: output.fileHandleForReading.fileDescriptor, input: input, begun: begun)
        let outcome = try watch.run(command) { process in scene.look(process, twin) }
        scene.pulse.listen(output.fileHandleForReading.fileDescriptor, twin: twin)
        try? handle.close()
        note(outcome, scene, Turn.ends(of: errors))
        lookAround(workshop, canaries)
        seconds = Date().timeIntervalSince(begun)
    }

    /// The first and the last of a file that a guest may have made as large as it likes.
    static func ends(of file: URL, _ most: UInt64 = 1 << 20) -> String {
        guard let handle = try? FileHandle(forReadingFrom: file), let size = try? handle.seekToEnd() else { return "" }
        func read(from start: UInt64) -> Data {
            guard (try? handle.seek(toOffset: start)) != nil else { return Data() }
            return (try? handle.read(upToCount: Int(most))) ?? Data()
        }
        let first = read(from: 0)
        let last = size > most ? read(from: max(most, size - min(size, most))) : Data()
        return String(decoding: first + last, as: UTF8.self)
    }

    private func words(_ workshop: Workshop) -> [String] {
        let inside = workshop.folder.appendingPathComponent("inside").path
        var words = ["--env", "PATH=/usr/bin:/bin", "--cwd", "/tmp", "--patch-after", String(patchAfter)]
        words += ["--bind", "\(inside):/tmp/canaries:ro"]
        if isStaged { words += ["--root", workshop.stage.path] }
        if let memory { words += ["--memory", String(memory), "--env", "ADVERSARY_MEMORY=1"] }
        let place = isStaged ? "/guests" : workshop.folder.appendingPathComponent("bin").path
        return words + ["--", "\(place)/pulse", "\(place)/\(guest)", String(seed)] + (isShort ? ["0"] : [])
    }

    /// What the kernel process says when it ends as it must not. Guests write to the same place, whatever they hold; a C library
    /// has "Fatal error" among its words, but none that begins with a place in Swift code.
    static func kernelsWords(in errors: String) -> String? {
        // Bytes: there can be megabytes that are no text.
        let bytes = Data(errors.utf8)
        func words(at start: Int) -> String { String(decoding: bytes[start...].prefix(600), as: UTF8.self) }
        for word in ["apus-kernel: ended", "not in its list", "Swift runtime failure"] {
            if let place = bytes.range(of: Data(word.utf8)) { return words(at: place.lowerBound) }
        }
        var start = 0
        while let place = bytes.range(of: Data(": Fatal error".utf8), in: start..<bytes.count) {
            var end = place.lowerBound
            while end > 0, (0x30...0x39).contains(bytes[end - 1]) { end -= 1 }
            if bytes[..<end].suffix(7).elementsEqual(".swift:".utf8) { return words(at: place.lowerBound) }
            start = place.upperBound
        }
        return nil
    }

    private static let isSeal: @Sendable (CallWatch.Call) -> Bool = { call in
        // seccomp(SECCOMP_SET_MODE_FILTER), of every thread.
        call.number == 317 && call.arguments[0] == 1 && call.arguments[1] & 1 == 1
    }

    private static let allowed = Dictionary(grouping: AllowedCall.all) { UInt64($0.number) }

    /// What the reviewed list says of a call.
    static let admits: @Sendable (CallWatch.Call) -> Bool = { call in
        call.architecture == 0xc000_003e
            && allowed[call.number]?.contains { $0.admits(call.arguments) } == true
    }

    // MARK: What came of it

    private mutating func note(_ outcome: CallWatch.Outcome, _ scene: Scene, _ errors: String) {
        status = Int(outcome.status.exitCode ?? 128 + (outcome.status.signal ?? 0))
        (worst, twinWorst, pulseCalls) = (scene.pulse.worst, scene.pulse.twinWorst, scene.pulse.calls)
        stillnesses = scene.pulse.stillnesses
        hostCalls = outcome.counts.values.reduce(0, +)
        hostNumbers = outcome.counts.keys.map { Int(truncatingIfNeeded: $0) }.sorted()
        failures += scene.failures
        for call in outcome.refused { failures.append("a host call that is not in the list: \(call.text)") }
        if outcome.refusals > outcome.refused.count { failures.append("\(outcome.refusals) such calls in all") }
        if isTraced, !outcome.wasSealed, !isKilled { failures.append("the kernel process was not sealed") }
        if let words = Turn.kernelsWords(in: errors) { failures.append("the kernel said: " + words) }
        // Each of a watched kernel's host calls stops it twice: what that costs is told, and not held against it before it is
        // much. And short turns are CI's, which has no say about time beside a hang: as much for them.
        let patience = isTraced || isShort ? Turn.watchedPatience : 0
        for stillness in stillnesses where !stillness.isHosts && stillness.milliseconds > patience {
            failures.append(
                "a well-behaved guest stood still for \(stillness.milliseconds) ms (its native twin "
                    + "\(stillness.twinMilliseconds) ms)\n" + stillness.threads.joined(separator: "\n"))
        }
        guard !isKilled, scene.failures.isEmpty else { return }
        // Who takes all the memory there is may end the pulse.
        if status != 0, memory == nil || status == 125 || status == 128 + 4 || status == 128 + 5 || status == 128 + 11 {
            failures.append("the sandbox ended with \(status): " + String(errors.suffix(600)))
        } else if let guestStatus = scene.guestStatus, guestStatus != 0, memory == nil {
            failures.append("the guest ended with \(guestStatus): " + String(errors.suffix(600)))
        }
    }

    private mutating func lookAround(_ workshop: Workshop, _ canaries: Canaries) {
        var left = ProcessTable.running(workshop.kernel)
        for _ in 0..<50 where !left.isEmpty {
            Thread.sleep(forTimeInterval: 0.1)
            left = ProcessTable.running(workshop.kernel).filter(ProcessTable.isAlive)
        }
        if !left.isEmpty {
            let threads = left.flatMap(ProcessDump.take).map(\.line)
            failures.append("processes were left behind:\n" + threads.joined(separator: "\n"))
            for process in left { try? Host.kill(process, 9) }
        }
        failures += canaries.changes().map { "a canary: \($0)" }
    }

    /// What goes on while the sandbox runs, looked at every few milliseconds.
    struct Scene {
        let turn: Turn
        let output: Int32
        let input: Pipe
        let begun: Date
        var pulse = Pulse()
        var failures: [String] = []
        var guestStatus: Int?
        private var held: [String: Int] = [:]
        private var waitsSince: Date?
        private var killsAt: Date?

        init(turn: Turn, output: Int32, input: Pipe, begun: Date) {
            (self.turn, self.output, self.input, self.begun) = (turn, output, input, begun)
            if turn.isKilled { killsAt = begun.addingTimeInterval(0.2 + Double(turn.seed % 29) / 10) }
        }

        /// - Returns: whether the sandbox may go on.
        mutating func look(_ process: Int32, _ twin: Companion) -> Bool {
            pulse.listen(output, twin: twin)
            if let time = killsAt, Date() > time { killOne(process) }
            switch pulse.stage {
            case .ready:
                held = ProcessTable.children(of: process).first.map(ProcessTable.holdings) ?? [:]
                // What the next process will need is made when the kernel has nothing else to do, and belongs to it.
                guard held.keys.contains(where: { $0.contains("apus-contexts") }) || isLate(2) else { break }
                waitsSince = nil
                pulse.begin()
                go()
            case .ended(let status):
                guestStatus = status
                settle(process)
            default: break
            }
            if pulse.isStill() { pulse.dump(ProcessDump.take(below: process).map(\.line)) }
            guard Date().timeIntervalSince(begun) < Turn.limit else {
                let threads = ProcessDump.take(below: process).map(\.line)
                failures.append("no end after \(Int(Turn.limit)) s\n" + threads.joined(separator: "\n"))
                return false
            }
            return true
        }

        private func go() { try? input.fileHandleForWriting.write(contentsOf: Data("\n".utf8)) }

        /// The guest is gone: the kernel process holds what it held, and its children are the template, its heir and the
        /// pulse; where one of the former was killed there is another soon.
        private mutating func settle(_ process: Int32) {
            let kernel = ProcessTable.children(of: process).first
            let stubs = kernel.map(ProcessTable.children)?.count ?? 0
            let now = kernel.map(ProcessTable.holdings) ?? [:]
            // Inherited streams are what they are; the poller's own is made with the first descriptor that is watched.
            guard stubs != 3 || now != held else {
                pulse.stage = .over
                return go()
            }
            // A process that never stands is given ten looks of a second.
            guard isLate(15) else { return }
            let changed = Set(now.keys).union(held.keys).filter { now[$0] != held[$0] }.sorted().map {
                "\($0) \(held[$0] ?? 0) then \(now[$0] ?? 0)"
            }
            failures.append("after its guests the kernel process has \(stubs) stubs, and holds: \(changed)")
            pulse.stage = .over
            go()
        }

        /// Whether what is waited for has not come for so many seconds.
        private mutating func isLate(_ seconds: Double) -> Bool {
            let since = waitsSince ?? Date()
            waitsSince = since
            return Date().timeIntervalSince(since) > seconds
        }

        private mutating func killOne(_ process: Int32) {
            killsAt = nil
            var family = [process]
            for kernel in ProcessTable.children(of: process) { family += [kernel] + ProcessTable.children(of: kernel) }
            try? Host.kill(family[Int(turn.seed / 29) % family.count], 9)
        }
    }
}

extension ThreadDump {
    var line: String {
        "  \(process)/\(thread) \(name): \(state), in \(call ?? "user code"), waits in \(waitingIn)"
            + (stack.isEmpty ? "" : "; " + stack.prefix(6).joined(separator: " < "))
    }
}
