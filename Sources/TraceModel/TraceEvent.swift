internal import LinuxABI

/// One thing that happened to one thread of a traced program.
///
/// The native tracer and the sandbox's kernel emit the same events in the same order per thread:
/// - a call is one event, when it returns; one that never returns is `unfinished`;
/// - a `clone` edge comes before the parent's own call event and before any event of the child;
/// - a successful execve is `unfinished(…, .replaced)`, then `exec`, then the new image's calls;
/// - an interrupted call shows the kernel's own result (`ERESTARTSYS` and its like), then the `signal`, and the call
///   once more if it is restarted (`restart_syscall` for the calls that restart through it);
/// - a thread's `exit` is its last event; the last thread's is followed by `processExit`.
package struct TraceEvent: Hashable, Sendable {
    /// Counts the events of a trace from 0, over all threads.
    package var sequence: UInt64
    /// `CLOCK_MONOTONIC` in nanoseconds, where the tracer was asked for times.
    package var time: Int64?
    /// The thread group, as its own pid namespace's root sees it.
    package var process: Int32
    package var thread: Int32
    package var kind: Kind
    /// Names a call stack that was stored elsewhere.
    package var stack: UInt32?

    package init(
        sequence: UInt64, time: Int64? = nil, process: Int32, thread: Int32, kind: Kind, stack: UInt32? = nil
    ) {
        self.sequence = sequence
        self.time = time
        self.process = process
        self.thread = thread
        self.kind = kind
        self.stack = stack
    }

    package enum Kind: Hashable, Sendable {
        /// A call that returned.
        case call(TracedCall, result: CallResult)
        /// A call that was entered and never returned to its thread.
        case unfinished(TracedCall, UnfinishedReason)
        /// A signal was taken off the queue: a handler runs, or it is ignored or ends the process.
        case signal(TracedSignal)
        /// The thread's group was stopped by a signal.
        case stopped(signal: Int32)
        /// The thread made another one, or a process.
        case clone(CloneEdge)
        /// The thread's program was replaced. `formerThread` is the thread that called execve: its number becomes that
        /// of the group's leader.
        case exec(path: [UInt8], formerThread: Int32)
        /// The thread is gone.
        case exit(WaitStatus)
        /// Its last thread gone, the process is.
        case processExit(WaitStatus)
    }
}

/// Why a call never returned.
package enum UnfinishedReason: UInt8, Hashable, Sendable, CaseIterable {
    /// `exit(2)` or `exit_group(2)`.
    case ended = 0
    /// execve succeeded.
    case replaced = 1
    /// The thread was killed inside the call.
    case killed = 2
    /// The trace ended before the call did.
    case traceEnded = 3
}

/// A system call as it was entered, with the payloads that went in and came out.
package struct TracedCall: Hashable, Sendable {
    /// Added to the number of a call that came through another ABI (`int 0x80`), which no table here describes.
    package static let foreignBase = SyscallTable.foreignBase

    package var number: Int
    package var arguments: CallArguments
    package var payloads: [TracePayload]

    package init(number: Int, arguments: CallArguments, payloads: [TracePayload] = []) {
        self.number = number
        self.arguments = arguments
        self.payloads = payloads
    }
}

/// The six raw argument registers of a call.
package struct CallArguments: Hashable, Sendable {
    package var values: InlineArray<6, UInt64>

    package init(_ values: InlineArray<6, UInt64>) { self.values = values }

    /// Takes the first six of some numbers; missing ones are zero.
    package init(_ numbers: [UInt64]) {
        values = InlineArray { $0 < numbers.count ? numbers[$0] : 0 }
    }

    /// The register at `index`; past the sixth it is zero.
    package subscript(index: Int) -> UInt64 {
        get { index >= 0 && index < 6 ? values[index] : 0 }
        set {
            guard index >= 0, index < 6 else { return }
            values[index] = newValue
        }
    }

    package static func == (left: CallArguments, right: CallArguments) -> Bool {
        for index in 0..<6 where left.values[index] != right.values[index] { return false }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        for index in 0..<6 { hasher.combine(values[index]) }
    }
}

/// What a call left in the result register.
package struct CallResult: Hashable, Sendable {
    package var rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// The positive error number of a call that failed. Results in -4095..<0 are errors.
    package var errorNumber: Int32? { rawValue < 0 && rawValue >= -4095 ? Int32(truncatingIfNeeded: -rawValue) : nil }
}

/// Bytes of the program's memory that a call read or wrote.
package struct TracePayload: Hashable, Sendable {
    /// The parameter, counted from 0.
    package var parameter: UInt8
    package var part: Part
    package var isOutput: Bool
    /// False if (part of) the memory could not be read; `bytes` holds what could.
    package var isReadable: Bool
    /// Elements of a vector; 0 for anything else.
    package var count: UInt32
    /// How many bytes there were. More than `bytes` holds: the capture was cut. Of a cut string or vector of strings
    /// it is only known that there are more.
    package var fullLength: UInt64
    package var bytes: [UInt8]

    package init(
        parameter: UInt8, part: Part = .direct, isOutput: Bool, isReadable: Bool = true, count: UInt32 = 0,
        fullLength: UInt64? = nil, bytes: [UInt8]
    ) {
        self.parameter = parameter
        self.part = part
        self.isOutput = isOutput
        self.isReadable = isReadable
        self.count = count
        self.fullLength = fullLength ?? UInt64(bytes.count)
        self.bytes = bytes
    }

    package var isTruncated: Bool { fullLength > UInt64(bytes.count) }

    /// Which of the memories behind a parameter this is.
    package enum Part: UInt8, Hashable, Sendable, CaseIterable {
        /// The bytes that the parameter points at.
        case direct = 0
        /// A string, without its NUL.
        case string = 1
        /// A vector of strings, each with its NUL.
        case strings = 2
        /// The array of `iovec` itself: addresses and lengths.
        case vector = 3
        /// The bytes behind an `iovec` array, one buffer after the other.
        case content = 4
        /// A `msghdr` itself.
        case header = 5
        /// `msg_name`.
        case name = 6
        /// `msg_control`.
        case control = 7
    }
}

/// The delivery of a signal.
package struct TracedSignal: Hashable, Sendable {
    package var number: Int32
    /// `si_code`.
    package var code: Int32
    /// `si_pid`, where the code says that there is one; 0 otherwise.
    package var sender: Int32
    /// `si_status` of SIGCHLD, `si_int` of a queued or a timer's signal, `si_syscall` of a filter's SIGSYS; 0 otherwise.
    package var value: Int32
    /// `si_addr` of a fault, `si_call_addr` of a filter's SIGSYS; 0 otherwise.
    package var address: UInt64

    package init(number: Int32, code: Int32, sender: Int32 = 0, value: Int32 = 0, address: UInt64 = 0) {
        self.number = number
        self.code = code
        self.sender = sender
        self.value = value
        self.address = address
    }
}

/// From a thread to the one that it made.
package struct CloneEdge: Hashable, Sendable {
    package var child: Int32
    /// The child's process: the parent's own for a thread.
    package var process: Int32
    /// The flags of clone(2), with the exit signal in the low byte; fork(2) and vfork(2) in the same terms.
    package var flags: UInt64

    package init(child: Int32, process: Int32, flags: UInt64) {
        self.child = child
        self.process = process
        self.flags = flags
    }
}

/// How a thread or process ended, as wait(2) encodes it.
package struct WaitStatus: Hashable, Sendable {
    package var rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }
    package init(exitCode: Int32) { rawValue = (exitCode & 0xff) << 8 }
    package init(signal: Int32, dumpedCore: Bool = false) { rawValue = (signal & 0x7f) | (dumpedCore ? 0x80 : 0) }

    /// Nil if a signal ended it.
    package var exitCode: Int32? { rawValue & 0x7f == 0 ? (rawValue >> 8) & 0xff : nil }
    /// Nil if it exited by itself.
    package var signal: Int32? { rawValue & 0x7f == 0 ? nil : rawValue & 0x7f }
    package var dumpedCore: Bool { signal != nil && rawValue & 0x80 != 0 }
}
