internal import CHost
internal import Foundation
package import TraceModel

/// Runs a program that makes a process of its own and seals it, and watches from outside which host calls that process
/// makes: each of its threads, and none of the processes that it makes in turn, which run on untraced.
///
/// What is seen are attempts: the host reports a call before any filter of the process has its say.
package struct CallWatch: Sendable {
    /// One call as the host got it.
    package struct Call: Sendable, Equatable {
        package var thread: Int32
        /// AUDIT_ARCH_…
        package var architecture: UInt32
        package var number: UInt64
        package var arguments: [UInt64]
        package var instruction: UInt64

        package var text: String {
            let words = arguments.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
            return "call \(Int64(bitPattern: number)) (\(words)) at 0x\(String(instruction, radix: 16)), "
                + "thread \(thread), architecture 0x\(String(architecture, radix: 16))"
        }
    }

    package struct Outcome: Sendable {
        /// Of the program that was started.
        package var status = WaitStatus(exitCode: 0)
        package var wasSealed = false
        /// How often each call was made after the seal.
        package var counts: [UInt64: Int] = [:]
        /// The first few that should not have been.
        package var refused: [Call] = []
        package var refusals = 0
    }

    /// False: the program is run and waited for, and nobody looks.
    package var isTracing: Bool
    /// From the return of this call on, which must succeed, every call has to be admitted.
    package var isSeal: @Sendable (Call) -> Bool
    package var admits: @Sendable (Call) -> Bool
    /// Milliseconds between two ticks.
    package var period: Int64 = 20

    package init(
        isTracing: Bool = true, isSeal: @escaping @Sendable (Call) -> Bool, admits: @escaping @Sendable (Call) -> Bool
    ) {
        self.isTracing = isTracing
        self.isSeal = isSeal
        self.admits = admits
    }

    /// Runs the command to its end. `tick` is called every `period` on the tracer's thread with the number of the started
    /// process; when it returns false, that process is killed.
    package func run(_ command: NativeTracer.Command, tick: (Int32) -> Bool) throws -> Outcome {
        let path = try ProgramSearch.find(command)
        return try OwnThread.run {
            var loop = try Loop(self, command, path)
            return try loop.run(tick)
        }
    }
}

extension CallWatch {
    /// One run's state; it lives on one thread.
    private struct Loop {
        let watch: CallWatch
        let root: Int32
        private let failure: Int32
        private let path: String
        private var outcome = Outcome()
        /// The process that is watched, once it is there.
        private var watched: Int32?
        /// Its threads, with the call that each is about to make, if that is the seal.
        private var isSealing: [Int32: Bool] = [:]
        private static let kept = 20

        init(_ watch: CallWatch, _ command: NativeTracer.Command, _ path: String) throws {
            self.watch = watch
            self.path = path
            var release: Int32 = -1
            var failure: Int32 = -1
            root = try TraceLoop.spawn(command, path: path, release: &release, failure: &failure)
            self.failure = failure
            if watch.isTracing {
                let seized = apus_ptrace_seize(root)
                guard seized == 0, apus_ptrace_interrupt(root) == 0 else {
                    _ = apus_ptrace_kill(root)
                    apus_ptrace_close(release)
                    apus_ptrace_close(failure)
                    throw TraceError(.cannotTrace, "cannot trace a child: error \(-seized)")
                }
                var status: Int32 = 0
                // The shim writes the status.
                if unsafe apus_ptrace_wait_for(root, &status) == root { _ = apus_ptrace_continue(root, 0) }
            }
            apus_ptrace_release(release)
        }

        mutating func run(_ tick: (Int32) -> Bool) throws -> Outcome {
            var ticks: intptr_t = 0
            // The shim writes the timer's handle.
            guard unsafe apus_ptrace_ticks(UInt64(watch.period), &ticks) == 0 else {
                _ = apus_ptrace_kill(root)
                throw TraceError(.cannotTrace, "no timer for the watcher")
            }
            defer { apus_ptrace_ticks_end(ticks) }
            var last = apus_ptrace_time()
            while true {
                var status: Int32 = 0
                // The shim writes the status.
                let thread = unsafe apus_ptrace_wait(&status, 1)
                if thread > 0 {
                    handle(thread, status)
                } else if thread != -4 {
                    // ECHILD: everybody has ended.
                    break
                }
                let now = apus_ptrace_time()
                if now - last >= watch.period * 1_000_000 {
                    last = now
                    if !tick(root) { _ = apus_ptrace_kill(root) }
                }
            }
            let error = apus_ptrace_failure(failure)
            guard error == 0 else { throw TraceError(.cannotStart, "cannot run '\(path)': error \(error)") }
            return outcome
        }

        private mutating func handle(_ thread: Int32, _ status: Int32) {
            let stop = Stop(status: status)
            if case .ended(let end) = stop {
                if thread == root { outcome.status = end }
                isSealing[thread] = nil
                return
            }
            if thread == root {
                passOn(thread, stop)
            } else if isSealing[thread] != nil {
                switch stop {
                case .call:
                    call(thread)
                    _ = apus_ptrace_resume(thread, 0)
                case .signal(let number): _ = apus_ptrace_resume(thread, number)
                case .group: _ = apus_ptrace_listen(thread)
                default: _ = apus_ptrace_resume(thread, 0)
                }
            } else {
                arrive(thread)
            }
        }

        private func passOn(_ thread: Int32, _ stop: Stop) {
            switch stop {
            case .signal(let number): _ = apus_ptrace_continue(thread, number)
            case .group: _ = apus_ptrace_listen(thread)
            default: _ = apus_ptrace_continue(thread, 0)
            }
        }

        /// The first stop of a task. Before it has run it is known by its group and its parent.
        private mutating func arrive(_ thread: Int32) {
            let (group, parent) = Loop.family(of: thread)
            if watched == nil, group == thread, parent == root { watched = thread }
            guard group == watched else {
                _ = apus_ptrace_detach(thread)
                return
            }
            isSealing[thread] = false
            _ = apus_ptrace_resume(thread, 0)
        }

        private mutating func call(_ thread: Int32) {
            var info = apus_ptrace_call()
            // The shim fills the structure.
            guard unsafe apus_ptrace_call_info(thread, &info) == 0 else { return }
            guard info.phase == 1 else {
                if isSealing[thread] == true, info.phase == 2, info.result == 0 { outcome.wasSealed = true }
                isSealing[thread] = false
                return
            }
            let arguments = info.arguments
            let call = Call(
                thread: thread, architecture: info.architecture, number: info.number,
                arguments: [
                    arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5,
                ], instruction: info.instruction_pointer)
            guard outcome.wasSealed else {
                isSealing[thread] = watch.isSeal(call)
                return
            }
            outcome.counts[call.number, default: 0] += 1
            guard !watch.admits(call) else { return }
            outcome.refusals += 1
            if outcome.refused.count < Loop.kept { outcome.refused.append(call) }
        }

        private static func family(of thread: Int32) -> (group: Int32, parent: Int32) {
            let text = (try? String(contentsOfFile: "/proc/\(thread)/status", encoding: .utf8)) ?? ""
            func number(_ key: String) -> Int32 {
                let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
                return line.flatMap { Int32($0.dropFirst(key.count).trimmingCharacters(in: .whitespaces)) } ?? 0
            }
            return (number("Tgid:"), number("PPid:"))
        }
    }
}
