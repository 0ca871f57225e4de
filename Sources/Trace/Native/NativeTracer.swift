internal import CHost
package import LinuxABI
package import TraceModel

/// Runs a program natively under ptrace(2) and hands out its events as they happen.
///
/// Every thread and process that the program makes is followed, through fork, vfork, clone and exec. They are all killed
/// when the tracer's thread ends, however it ends. Each run has an operating system thread of its own, so several may go
/// on in one process beside its other children.
package struct NativeTracer: Sendable {
    package struct Options: Sendable {
        /// Which bytes of a call's memory its event holds.
        package var planner = PayloadPlanner(limit: PayloadPlanner.comparisonLimit)
        /// Whether events carry the time.
        package var times = false
        /// After this many milliseconds everything is killed and the run counts as hung; nil: never.
        package var timeout: UInt64?
        /// Whether processes that outlive the first one are killed (as a pid namespace does) or awaited.
        package var killsSurvivors = false
        /// After this many milliseconds without any event the tracer makes sure that it keeps nobody waiting itself.
        var patience: UInt64 = 5000

        package init() {}
    }

    /// What a program is given when it starts.
    package struct Command: Sendable {
        /// A path, or a name to be looked up in the environment's PATH.
        package var program: String
        /// `argv` after the first.
        package var arguments: [String]
        /// `NAME=value`, in order.
        package var environment: [String]
        package var workingDirectory: String?
        /// Descriptors for 0, 1 and 2; -1 stands for the caller's own.
        package var standardInput: Int32 = -1
        package var standardOutput: Int32 = -1
        package var standardError: Int32 = -1
        /// Whether the program leads a session and a process group of its own, as the first one of a sandbox does. It
        /// then has no controlling terminal.
        package var startsSession = false

        package init(
            _ program: String, _ arguments: [String] = [], environment: [String] = [], workingDirectory: String? = nil
        ) {
            self.program = program
            self.arguments = arguments
            self.environment = environment
            self.workingDirectory = workingDirectory
        }
    }

    package let table: SyscallTable
    package var options: Options

    package init(table: SyscallTable = .x86_64, options: Options = Options()) {
        self.table = table
        self.options = options
    }

    /// Runs the command to its end, and everything that it has started.
    ///
    /// The first event is the successful execve that starts the program. `sink` is called on the tracer's thread, one
    /// event after the other; while it works, the thread that caused the event stands still. If it throws, everything is
    /// killed and its error is rethrown.
    /// - Returns: how the first process ended, and what was going on if time ran out.
    /// - Throws: `TraceError` if the program can't be found, started or traced, or if the tracer got stuck (then it says
    ///   what each thread was doing); what `sink` throws.
    package func run(_ command: Command, sink: (TraceEvent) throws -> Void) throws -> NativeRun {
        let path = try ProgramSearch.find(command)
        return try OwnThread.run {
            var loop = try TraceLoop(command, path: path, table: table, options: options)
            return try loop.run(sink: sink)
        }
    }
}

/// How a traced run ended.
package struct NativeRun: Sendable {
    /// The first process's.
    package var status: WaitStatus
    package var timedOut = false
    /// If time ran out: what each thread was doing then.
    package var threads: [ThreadState] = []
    package var events: UInt64 = 0
}
