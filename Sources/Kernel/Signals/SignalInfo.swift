package import LinuxABI

/// What a sender says of a signal. Linux's `siginfo_t`, of which every kind fills its part.
package struct SignalInfo: Sendable {
    package var signal: SignalNumber
    /// `SI_USER` 0, `SI_KERNEL` 128, `SI_QUEUE` -1, `SI_TKILL` -6, `SEGV_MAPERR` 1, `CLD_EXITED` 1, …
    package var code: Int32
    package var errno: Int32 = 0
    package var processID = ProcessID(0)
    package var userID: UInt32 = 0
    /// SIGCHLD: exit status or signal.
    package var status: Int32 = 0
    /// SIGCHLD: the child's CPU time in clock ticks (1/100 s).
    package var userTime: Int64 = 0
    package var systemTime: Int64 = 0
    /// `sigqueue(3)`'s value.
    package var value: UInt64 = 0
    /// Fault signals.
    package var address: UInt = 0
    package var timerID: Int32 = 0
    package var overrun: Int32 = 0
    /// SIGIO.
    package var band: Int64 = 0
    package var fileDescriptor: Int32 = 0
    /// SIGSYS.
    package var syscallNumber: Int32 = 0
    package var architecture: UInt32 = 0
    /// The bytes behind the code as `rt_sigqueueinfo(2)` was given them; nil when the kernel made the signal.
    package var payload: [UInt8]?

    package init(_ signal: SignalNumber, code: Int32) {
        self.signal = signal
        self.code = code
    }

    /// A signal of the kernel's own, without more to say (`SEND_SIG_PRIV`).
    package init(kernel signal: SignalNumber) { self.init(signal, code: SignalInfo.kernel) }

    package static let user: Int32 = 0
    package static let kernel: Int32 = 128
    package static let queue: Int32 = -1
    package static let timer: Int32 = -2
    package static let io: Int32 = -5
    package static let threadKill: Int32 = -6

    /// True if a process sent it, so that permissions count. Linux's `si_fromuser`.
    package var isFromUser: Bool { code <= 0 }
}

/// `siginfo_t` in guest memory: 128 bytes, of which 48 mean something.
extension SignalInfo: GuestStructure {
    package static var size: Int { 128 }

    /// As much of it as the kernel itself reads from a guest.
    package static let meaningfulSize = 48

    package init(from reader: inout ByteReader) {
        signal = SignalNumber(reader.take())
        errno = reader.take()
        code = reader.take()
        reader.skip(4)
        let bytes = reader.take(count: 32)
        payload = bytes
        reader.skip(80)
        var rest = ByteReader(bytes)
        processID = ProcessID(rest.take(Int32.self))
        userID = rest.take()
        value = rest.take()
    }

    package func encode(to writer: inout ByteWriter) {
        let start = writer.bytes.count
        writer.put(signal.rawValue)
        writer.put(errno)
        writer.put(code)
        writer.pad(4)
        if let payload {
            writer.put(Array(payload.prefix(112)))
        } else {
            encodeUnion(to: &writer)
        }
        writer.pad(to: start + SignalInfo.size)
    }

    /// Which member of the union is in use. Linux's `siginfo_layout`.
    private enum Layout { case kill, timer, poll, fault, child, queue, syscall }

    private var layout: Layout {
        if code > SignalInfo.user, code < SignalInfo.kernel {
            // The end of a child whose exit signal is another than SIGCHLD.
            if processID.rawValue != 0 { return .child }
            switch signal.rawValue {
            case 4, 8, 11, 7, 5: return .fault
            case 17: return .child
            case 31: return .syscall
            default: return .poll
            }
        }
        switch code {
        case SignalInfo.timer: return .timer
        case SignalInfo.io: return .poll
        case ..<0: return .queue
        default: return .kill
        }
    }

    private func encodeUnion(to writer: inout ByteWriter) {
        switch layout {
        case .kill:
            writer.put(processID.rawValue)
            writer.put(userID)
        case .timer:
            writer.put(timerID)
            writer.put(overrun)
            writer.put(value)
        case .poll:
            writer.put(band)
            writer.put(fileDescriptor)
        case .fault:
            writer.put(address)
        case .child:
            writer.put(processID.rawValue)
            writer.put(userID)
            writer.put(status)
            writer.pad(4)
            writer.put(userTime)
            writer.put(systemTime)
        case .queue:
            writer.put(processID.rawValue)
            writer.put(userID)
            writer.put(value)
        case .syscall:
            writer.put(address)
            writer.put(syscallNumber)
            writer.put(architecture)
        }
    }
}
