internal import CHost
internal import Foundation
internal import TraceModel

/// Tasks that show up before their maker has announced them, or instead of it.
extension TraceLoop {
    /// An unknown task has stopped or ended.
    mutating func arrive(_ thread: Int32, _ stop: Stop, _ sink: (TraceEvent) throws -> Void) {
        // The number of one that is gone, used again.
        if newcomers[thread]?.end != nil { newcomers[thread] = nil }
        var newcomer = newcomers[thread] ?? TraceLoop.newcomer(thread)
        switch stop {
        case .exiting:
            newcomer.exit = TraceLoop.exitStatus(of: thread)
            newcomer.stop = nil
            resume(thread)
        case .ended(let status):
            newcomer.end = status
            newcomer.stop = nil
            forgetResumption(thread)
        default:
            newcomer.stop = stop
            // It was let go to die, and lives.
            if newcomer.isDoomed { newcomer.process = thread }
        }
        newcomers[thread] = newcomer
        if isKilling { _ = apus_ptrace_kill(newcomer.process == 0 ? thread : newcomer.process) }
        settleNewcomers(sink)
    }

    /// Takes over a task that has been announced, and makes up for what it has done since.
    mutating func settle(_ thread: Int32, _ sink: (TraceEvent) throws -> Void) {
        guard let newcomer = newcomers.removeValue(forKey: thread) else { return }
        let tracee = Tracee(thread: thread, process: newcomer.process)
        tracees[thread] = tracee
        if let status = newcomer.exit { finish(tracee, status, sink) }
        if let status = newcomer.end {
            if let tracee = tracees[thread] { end(tracee, status, sink) }
        } else if let stop = newcomer.stop {
            handle(thread, stop, sink)
        }
    }

    /// Decides on those whom nobody will announce any more, since each that could have made them has returned or is dead.
    /// A process lives on without its parent. A thread dies by what has killed its maker, and had no time to do anything:
    /// as far as the program can tell it never was, and no event tells of it.
    mutating func settleNewcomers(_ sink: (TraceEvent) throws -> Void) {
        guard !newcomers.isEmpty else { return }
        let makers = tracees.values.filter(\.isMaking)
        for (thread, newcomer) in newcomers.sorted(by: { $0.key < $1.key }) {
            let isThread = newcomer.isThread(thread)
            if makers.contains(where: { !isThread || $0.process == newcomer.process }) { continue }
            if newcomer.end != nil {
                newcomers[thread] = nil
            } else if newcomer.stop == nil {
                // It has been resumed already: its end is reported next.
                continue
            } else if isThread, !newcomer.isDoomed {
                newcomers[thread]?.isDoomed = true
                newcomers[thread]?.stop = nil
                resume(thread)
            } else {
                settle(thread, sink)
            }
        }
    }

    /// Tells of the task that a dying thread has made and can't announce, if there is no doubt which it is.
    mutating func announceLost(by maker: Tracee, _ sink: (TraceEvent) throws -> Void) {
        guard maker.isMaking, !newcomers.isEmpty else { return }
        tracees[maker.thread]?.isMaking = false
        let children = newcomers.filter { thread, newcomer in
            (newcomer.isThread(thread) ? newcomer.process : newcomer.parent) == maker.process
        }
        let isOnlyMaker = !tracees.values.contains { $0.isMaking && $0.process == maker.process }
        guard isOnlyMaker, children.count == 1, let (thread, newcomer) = children.first else { return }
        announce(thread, process: newcomer.process, by: maker, sink)
    }

    /// Looks at a task that has not been reaped, or else finds nothing.
    private static func newcomer(_ thread: Int32) -> Newcomer {
        let status = FileManager.default.contents(atPath: "/proc/\(thread)/status") ?? Data()
        let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
        func number(_ name: String) -> Int32 {
            let line = lines.first { $0.hasPrefix(name) }
            return line.flatMap { Int32($0.dropFirst(name.count).trimmingCharacters(in: .whitespaces)) } ?? 0
        }
        return Newcomer(process: number("Tgid:"), parent: number("PPid:"))
    }
}
