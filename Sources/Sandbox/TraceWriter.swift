internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import TraceModel
internal import VFS

/// Writes what guests do to a host file, as the native tracer does: the same events, in the one order of the kernel.
final class TraceWriter: TraceSink {
    private let descriptor: Int32
    private let planner = PayloadPlanner(limit: PayloadPlanner.comparisonLimit)
    private let table = SyscallTable.x86_64
    private var encoder = TraceEncoder()
    private var buffer: [UInt8] = []
    private var sequence: UInt64 = 0
    private var underWay: [ProcessID: TracedCall] = [:]
    /// The host's disk may be full: then the trace ends early, and says so by lacking its last record.
    private var hasFailed = false

    private static let bufferSize = 1 << 16
    /// Somebody may be reading along, at the other end of a pipe: calls an action a moment later. Nil for a file.
    private let later: ((_ action: @escaping () -> Void) -> Void)?
    private var isFlushDue = false

    /// `later` is asked for when events wait to be written to something that is no regular file.
    init(descriptor: Int32, later: @escaping (_ action: @escaping () -> Void) -> Void) {
        self.descriptor = descriptor
        let kind = (try? Host.status(descriptor)).flatMap { FileMode(rawValue: $0.mode).kind }
        self.later = kind == .regular ? nil : later
        buffer.reserveCapacity(2 * TraceWriter.bufferSize)
        encoder.start(TraceHeader(subject: .sandbox), into: &buffer)
    }

    /// The end record, and everything that waits.
    func finish() {
        encoder.finish(into: &buffer)
        flush()
        Host.close(descriptor)
    }

    /// The first program comes from outside: what follows looks as if its thread had called `execve`.
    func launching(_ thread: GuestThread, path: [UInt8], _ arguments: [[UInt8]], _ environment: [[UInt8]]) {
        func strings(_ parameter: UInt8, _ strings: [[UInt8]]) -> TracePayload {
            let bytes = Array(strings.map { $0 + [0] }.joined())
            return TracePayload(
                parameter: parameter, part: .strings, isOutput: false, count: UInt32(strings.count),
                fullLength: UInt64(bytes.count), bytes: Array(bytes.prefix(planner.limit)))
        }
        underWay[thread.id] = TracedCall(
            number: Linux.execve.number, arguments: CallArguments([1, 1, 1]),
            payloads: [
                TracePayload(parameter: 0, part: .string, isOutput: false, bytes: path), strings(1, arguments),
                strings(2, environment),
            ])
    }

    // MARK: TraceSink

    func began(_ thread: GuestThread) {
        let call = thread.call
        let arguments = CallArguments((0..<6).map { UInt64(call.arguments[$0]) })
        var memory = SinkMemory(thread)
        let payloads = table[call.number].map { planner.entering($0, arguments, memory: &memory) } ?? []
        underWay[thread.id] = TracedCall(number: call.number, arguments: arguments, payloads: payloads)
    }

    func ended(_ thread: GuestThread, result: Int) {
        guard var call = underWay.removeValue(forKey: thread.id) else { return }
        let result = CallResult(Int64(result))
        if let description = table[call.number] {
            var memory = SinkMemory(thread)
            call.payloads += planner.returning(
                description, call.arguments, entered: call.payloads, result: result, memory: &memory)
        }
        emit(.call(call, result: result), thread)
    }

    func delivered(_ signal: SignalInfo, to thread: GuestThread) {
        let hasSender = signal.code <= 0 || signal.signal == .child
        emit(
            .signal(
                TracedSignal(
                    number: signal.signal.rawValue, code: signal.code,
                    sender: hasSender ? signal.processID.rawValue : 0,
                    value: signal.signal == .child
                        ? signal.status
                        : TraceWriter.hasValue(signal.code) ? Int32(truncatingIfNeeded: signal.value) : 0,
                    address: UInt64(signal.address))), thread)
    }

    /// SI_QUEUE, SI_TIMER and SI_MESGQ carry the value that was given for them.
    private static func hasValue(_ code: Int32) -> Bool { (-3)...(-1) ~= code }

    func stopped(_ thread: GuestThread, by signal: SignalNumber) { emit(.stopped(signal: signal.rawValue), thread) }

    func cloned(_ parent: GuestThread, child: GuestThread, flags: UInt64) {
        emit(
            .clone(CloneEdge(child: child.id.rawValue, process: child.process.id.rawValue, flags: flags)), parent)
    }

    func executed(_ thread: GuestThread, path: [UInt8], formerID: ProcessID) {
        // A thread that was not the leader made the call under the number that it had then.
        if let call = underWay.removeValue(forKey: formerID) {
            emit(.unfinished(call, .replaced), thread, as: formerID)
        }
        emit(.exec(path: path, formerThread: formerID.rawValue), thread)
    }

    func exited(_ thread: GuestThread, status: Int32) {
        var status = status
        if let call = underWay.removeValue(forKey: thread.id) {
            let isExit = call.number == Linux.exit.number
            emit(.unfinished(call, isExit || call.number == Linux.exit_group.number ? .ended : .killed), thread)
            if isExit, !thread.process.threads.isEmpty {
                status = Int32(truncatingIfNeeded: call.arguments[0] & 0xff) << 8
            }
        }
        emit(.exit(WaitStatus(rawValue: status)), thread)
        if thread.process.threads.isEmpty { emit(.processExit(WaitStatus(rawValue: status)), thread) }
    }

    // MARK: The file

    private func emit(_ kind: TraceEvent.Kind, _ thread: GuestThread, as id: ProcessID? = nil) {
        encoder.encode(
            TraceEvent(
                sequence: sequence, process: thread.process.id.rawValue, thread: (id ?? thread.id).rawValue,
                kind: kind),
            into: &buffer)
        sequence += 1
        if buffer.count >= TraceWriter.bufferSize {
            flush()
        } else if let later, !isFlushDue {
            isFlushDue = true
            later { [weak self] in
                self?.isFlushDue = false
                self?.flush()
            }
        }
    }

    private func flush() {
        var done = 0
        while done < buffer.count, !hasFailed {
            do throws(Errno) {
                done += try Host.write(descriptor, at: nil, buffer.span.extracting(droppingFirst: done))
            } catch {
                hasFailed = error != .EINTR
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// A thread's memory as the payload planner reads it.
private struct SinkMemory: TraceMemory {
    private let thread: GuestThread

    init(_ thread: GuestThread) { self.thread = thread }

    mutating func read(_ count: Int, at address: UInt64, into bytes: inout [UInt8]) -> Int {
        guard count > 0, count <= GuestThread.maximumCopy else { return 0 }
        if let all = try? thread.copyIn(count, from: UInt(address)) {
            bytes += all
            return count
        }
        // Page by page, up to the one that is not there.
        var done = 0
        while done < count {
            let next = UInt(address) &+ UInt(done)
            let piece = min(count - done, Int(4096 - next % 4096))
            guard let part = try? thread.copyIn(piece, from: next) else { break }
            bytes += part
            done += piece
        }
        return done
    }
}
