internal import LinuxABI
internal import Trace
internal import TraceModel

/// Brings a run's events into canonical form, one after the other.
struct Canonicalizer {
    private let interner: Interner
    private let decoder: CallDecoder
    private let aliases: [(text: [UInt8], symbol: [UInt8])]
    private var trace = CanonicalTrace()
    /// Live threads by number: their index in `trace`, and their process.
    private var threads: [Int32: (index: Int, state: ProcessState)] = [:]
    /// What every number that was seen stood for last: a process that is gone may still be waited for.
    private var labels: [Int32: String] = [:]
    /// How many processes each thread of the trace has made, and how many threads each process, by its label.
    private var processesMade: [Int: Int] = [:]
    private var threadsMade: [Substring: Int] = [:]
    /// By thread of the trace, for each handler that is running: whether its signal has interrupted a call.
    private var interruptions: [Int: [Bool]] = [:]

    init(_ interner: Interner, table: SyscallTable, aliases: [String: String]) {
        self.interner = interner
        decoder = CallDecoder(table: table)
        // Longer ones first: one may contain another.
        self.aliases = aliases.sorted { ($0.key.utf8.count, $0.key) > ($1.key.utf8.count, $1.key) }.map {
            text, symbol in
            (Array(text.utf8), Array(symbol.utf8))
        }
    }

    /// Reads a whole run.
    /// - Throws: `TraceError` if its file can't be read.
    static func canonical(
        _ source: TraceSource, _ interner: Interner, table: SyscallTable, aliases: [String: String]
    ) throws -> CanonicalTrace {
        var canonicalizer = Canonicalizer(interner, table: table, aliases: aliases)
        switch source {
        case .events(let events): for event in events { canonicalizer.add(event) }
        case .file(let path):
            let reader = try TraceFileReader(path)
            while let event = try reader.event() { canonicalizer.add(event) }
        }
        return canonicalizer.trace
    }

    mutating func add(_ event: TraceEvent) {
        // The last thread's own end says the same.
        if case .processExit = event.kind { return }
        if case .exec(_, let former) = event.kind, former != event.thread, let caller = threads[former] {
            // A thread that is not the leader goes on under the leader's number.
            threads[event.thread] = caller
            threads[former] = nil
        }
        let (index, state) = thread(event)
        trace.eventCount += 1
        switch event.kind {
        case .call(let call, let result):
            let name = decoder.name(of: call.number)
            var result = result
            if name == "rt_sigreturn", interruptions[index]?.popLast() == false {
                // It gives what a register held where the signal fell, which is no call's result.
                result = CallResult(0)
            }
            let shape = shape(call, result, state)
            let path = path(call, state)
            // Opening and closing belong to what goes on while a file is open.
            let before = state.generated
            state.follow(name, call, result, path: path)
            append(shape, event, index)
            note(path, before ?? state.generated, index)
        case .unfinished(let call, let reason):
            // How the program was started is not the program's doing.
            if reason == .replaced, trace.threads[index].events.isEmpty, index == 0 { return }
            append(shape(call, nil, state, reason), event, index)
            note(path(call, state), state.generated, index)
        case .signal(let signal):
            // To a traced process Linux delivers even what it ignores; untraced, such signals are not seen at all.
            if state.ignores(signal.number) { return }
            let isHandled = state.isHandled(signal.number)
            if isHandled { interruptions[index, default: []].append(isInterrupted(index)) }
            append(shape(signal), event, index)
            if signal.isAsynchronous(in: event.process) {
                let sender = signal.sender == 0 ? nil : label(signal.sender)
                trace.threads[index].events[trace.threads[index].events.count - 1].signal = AsynchronousSignal(
                    sender: sender.map { interner.number(of: $0) }, isHandled: isHandled)
            }
        case .stopped(let signal):
            append(
                simple(.stopped, SignalText.name(signal), "--- stopped by \(SignalText.name(signal)) ---"), event, index
            )
        case .clone(let edge): clone(edge, event, from: index, state)
        case .exec: exec(event, index, state)
        case .exit(let status):
            append(simple(.exit, "exit", "+++ " + RunEnding.ended(status).description + " +++"), event, index)
            threads[event.thread] = nil
        case .processExit: break
        }
    }

    private mutating func thread(_ event: TraceEvent) -> (index: Int, state: ProcessState) {
        if let known = threads[event.thread] { return known }
        // The first thread, or one whose clone edge is missing.
        let isFirst = trace.threads.isEmpty
        let label = isFirst ? "1" : "?\(trace.threads.count)"
        trace.threads.append(CanonicalThread(label: label))
        labels[event.thread] = label
        let sibling = threads[event.process]?.state
        let new = (trace.threads.count - 1, sibling ?? ProcessState())
        threads[event.thread] = new
        return new
    }

    private mutating func append(_ shape: UInt32, _ event: TraceEvent, _ thread: Int, child: Int32 = -1) {
        trace.threads[thread].events.append(CanonicalEvent(sequence: event.sequence, shape: shape, child: child))
        switch event.kind {
        case .call, .unfinished: trace.calls[interner.shape(shape).name, default: 0] += 1
        default: break
        }
    }

    /// Whether the last thing that a thread did was a call that a signal has interrupted.
    private func isInterrupted(_ thread: Int) -> Bool {
        trace.threads[thread].events.last.map { interner.shape($0.shape).kind == .interrupted } ?? false
    }

    /// Remembers of a thread's last event which files it is about.
    private mutating func note(_ path: String?, _ reading: String?, _ thread: Int) {
        let last = trace.threads[thread].events.count - 1
        trace.threads[thread].events[last].path = path.map { interner.number(of: $0) }
        trace.threads[thread].events[last].reading = reading.map { interner.number(of: $0) }
    }

    /// The file that a call is about: its first path, else what its first descriptor was opened by.
    private func path(_ call: TracedCall, _ state: ProcessState) -> String? {
        guard let parameters = decoder.table[call.number]?.parameters.prefix(6) else { return nil }
        let descriptor = parameters.firstIndex { $0.role == .fileDescriptor }.flatMap { index in
            state.path(Int32(truncatingIfNeeded: call.arguments[index]))
        }
        guard let index = parameters.firstIndex(where: { $0.role == .path }),
            let payload = call.payloads.first(where: { Int($0.parameter) == index && $0.part == .string })
        else { return descriptor }
        let given = String(decoding: Symbolizer.replace(aliases, in: payload.bytes), as: UTF8.self)
        guard let descriptor, !given.hasPrefix("/") else { return given }
        return given.isEmpty ? descriptor : descriptor + "/" + given
    }

    private mutating func clone(_ edge: CloneEdge, _ event: TraceEvent, from index: Int, _ state: ProcessState) {
        let isThread = edge.process == event.process
        let parent = trace.threads[index].label
        let label: String
        if isThread {
            // Threads are numbered within their process, whoever made them: `1/2`, never `1/2/1`.
            let process = parent.prefix { $0 != "/" }
            threadsMade[process, default: 1] += 1
            label = "\(process)/\(threadsMade[process] ?? 2)"
        } else {
            processesMade[index, default: 0] += 1
            label = "\(parent).\(processesMade[index] ?? 0)"
        }
        trace.threads.append(CanonicalThread(label: label))
        labels[edge.child] = label
        let child = trace.threads.count - 1
        threads[edge.child] = (child, isThread ? state : ProcessState(copying: state))
        let flags = FlagLists.text("clone_flags", edge.flags)
        append(
            simple(.clone, "clone", "+++ makes \(isThread ? "a thread" : "a process") (\(flags)) +++"), event, index,
            child: Int32(child))
    }

    /// The path is the call's, which comes before.
    private mutating func exec(_ event: TraceEvent, _ index: Int, _ state: ProcessState) {
        let fresh = ProcessState(copying: state)
        fresh.replaceProgram()
        threads[event.thread] = (index, fresh)
        interruptions[index] = nil
        labels[event.thread] = trace.threads[index].label
        if index == 0, trace.threads[0].events.isEmpty { return }
        append(simple(.exec, "exec", "+++ runs another program +++"), event, index)
    }

    // MARK: Shapes

    private func simple(_ kind: CanonicalShape.Kind, _ name: String, _ line: String) -> UInt32 {
        let field = CanonicalField(
            path: interner.number(of: "what"), value: interner.number(of: line), side: .output, isBytes: false)
        let shape = CanonicalShape(kind: kind, name: interner.number(of: name), errno: 0, fields: [field])
        return interner.number(of: shape) { line }
    }

    private func shape(_ signal: TracedSignal) -> UInt32 {
        let sender = signal.sender == 0 ? "" : ", from \(label(signal.sender) ?? "OUTSIDE")"
        let value = signal.value == 0 ? "" : ", value \(signal.value)"
        let address = signal.address == 0 ? "" : ", at an address"
        let name = SignalText.name(signal.number)
        let code = SignalText.code(signal.code, of: signal.number)
        return simple(.signal, name, "--- \(name) (\(code)\(sender)\(value)\(address)) ---")
    }

    private func label(_ number: Int32) -> String? { labels[number] }

    private func shape(
        _ call: TracedCall, _ result: CallResult?, _ state: ProcessState, _ reason: UnfinishedReason? = nil
    ) -> UInt32 {
        var decoded = decoder.decode(call, result: result)
        let tellsMappings = MemoryCalls.names.contains(decoded.name)
        // A new mapping's address is known only after the call.
        var space = state.space
        if tellsMappings, let result { MemoryCalls.follow(decoded.name, call, result, state, in: &space) }
        let asked = decoded.name == "brk" ? call.arguments[0] : nil
        let before = Symbolizer(
            label: label, space: state.space, tellsMappings: tellsMappings, askedBreak: asked, aliases: aliases)
        let after = Symbolizer(
            label: label, space: space, tellsMappings: tellsMappings, askedBreak: asked, aliases: aliases)
        var fields: [CanonicalField] = []
        for index in decoded.arguments.indices {
            let name = decoded.arguments[index].name
            decoded.arguments[index].value = before.symbolize(decoded.arguments[index].value)
            decoded.arguments[index].output = decoded.arguments[index].output.map(after.symbolize)
            let hasBoth = decoded.arguments[index].output != nil
            var isAddress = false
            if case .scalar(_, .address) = decoded.arguments[index].value { isAddress = true }
            // A buffer's address that was only given to be filled says nothing once it is filled.
            if !hasBoth || !isAddress {
                collect(decoded.arguments[index].value, hasBoth ? name + " (in)" : name, .input, &fields)
            }
            if let output = decoded.arguments[index].output { collect(output, name, .output, &fields) }
        }
        var isInterrupted = false
        if let value = decoded.result?.value {
            let result = after.symbolize(value)
            decoded.result?.value = result
            isInterrupted = decoded.result?.error?.hasPrefix("ERESTART") ?? false
            let text = decoded.result?.text(limit: 100) ?? ""
            fields.append(
                CanonicalField(
                    path: interner.number(of: "result"), value: interner.number(of: text), side: .result, isBytes: false
                ))
        }
        if let reason {
            fields.append(
                CanonicalField(
                    path: interner.number(of: "end"), value: interner.number(of: "\(reason)"), side: .result,
                    isBytes: false))
        }
        let kind: CanonicalShape.Kind = result == nil ? .unfinished : isInterrupted ? .interrupted : .call
        let isStream =
            StreamCalls.names.contains(decoded.name)
            && state.isStream(Int32(truncatingIfNeeded: call.arguments[decoded.name == "sendfile" ? 1 : 0]))
        let shape = CanonicalShape(
            kind: kind, name: interner.number(of: decoded.name), errno: result?.errorNumber ?? 0, isStream: isStream,
            fields: fields)
        return interner.number(of: shape) {
            decoded.text(limit: 48)
                + (reason.map { $0 == .ended || $0 == .replaced ? "" : " <unfinished: \($0)>" } ?? "")
        }
    }

    private func collect(
        _ value: Decoded, _ path: String, _ side: CanonicalField.Side, _ fields: inout [CanonicalField]
    ) {
        value.flatten(path) { path, leaf in
            var isBytes = false
            if case .bytes = leaf { isBytes = true }
            fields.append(
                CanonicalField(
                    path: interner.number(of: path), value: interner.number(of: Canonicalizer.text(leaf)), side: side,
                    isBytes: isBytes))
        }
    }

    /// A value in full if it is short, else its beginning with a digest of all of it.
    private static func text(_ leaf: Decoded) -> String {
        guard case .bytes(let bytes, let fullLength, _) = leaf, bytes.count > 160 else {
            return leaf.text(limit: 200)
        }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Quoting.quoted(bytes.prefix(120), isWhole: false) + " (\(fullLength) bytes, \(String(hash, radix: 16)))"
    }
}
