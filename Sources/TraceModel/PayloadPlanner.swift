package import LinuxABI

/// Decides which bytes of the program's memory belong to a call's event, and fetches them.
///
/// Both tracers use it, so that both capture the same bytes: at entry what goes in (`entering`), at exit what came out
/// (`returning`). The table's directions and extents say what there is; `CommandExtents` adds what depends on a command
/// number. Nothing comes out of a call that failed: its buffers hold whatever they held before.
package struct PayloadPlanner: Sendable {
    /// The most bytes captured per payload.
    package var limit: Int
    /// A structure of a known size up to this is captured whole, whatever the limit: half of one says nothing.
    static let wholeStructure = 512

    /// Enough to read a trace.
    package static let textLimit = 256
    /// Enough to compare two.
    package static let comparisonLimit = 4096
    /// `UIO_MAXIOV`: no vector is longer.
    static let maximumVector = 1024
    /// The most strings read of an argument or environment vector.
    static let maximumStrings = 4096

    package init(limit: Int = PayloadPlanner.textLimit) { self.limit = max(0, limit) }

    /// What goes into a call that is being entered.
    package func entering<M: TraceMemory & ~Copyable>(
        _ call: SyscallDescription, _ arguments: CallArguments, memory: inout M
    ) -> [TracePayload] {
        var payloads: [TracePayload] = []
        for (index, parameter) in call.parameters.enumerated() where arguments[index] != 0 {
            let shape = CommandExtents.shape(of: parameter, at: index, in: call, arguments)
            guard shape.direction != .value else { continue }
            let capture = Capture(
                parameter: UInt8(index), address: arguments[index], direction: shape.direction, isOutput: false,
                limit: limit)
            capture.run(shape.extent, call, arguments, entered: [], result: 0, memory: &memory, into: &payloads)
        }
        return payloads
    }

    /// What came out of a call that has returned. `entered` is what `entering` gave.
    package func returning<M: TraceMemory & ~Copyable>(
        _ call: SyscallDescription, _ arguments: CallArguments, entered: [TracePayload], result: CallResult,
        memory: inout M
    ) -> [TracePayload] {
        var payloads: [TracePayload] = []
        guard result.errorNumber == nil else { return payloads }
        for (index, parameter) in call.parameters.enumerated() where arguments[index] != 0 {
            let shape = CommandExtents.shape(of: parameter, at: index, in: call, arguments)
            guard shape.direction == .out || shape.direction == .both else { continue }
            let capture = Capture(
                parameter: UInt8(index), address: arguments[index], direction: shape.direction, isOutput: true,
                limit: limit)
            capture.run(
                shape.extent, call, arguments, entered: entered, result: result.rawValue, memory: &memory,
                into: &payloads)
        }
        return payloads
    }
}

/// The capture of one parameter's payloads, on the way in or out.
private struct Capture {
    let parameter: UInt8
    let address: UInt64
    let direction: Direction
    let isOutput: Bool
    let limit: Int

    /// Whether the bytes themselves travel this way; the arrays that lead to them always go in.
    private var travels: Bool {
        isOutput ? direction == .out || direction == .both : direction == .in || direction == .both
    }

    func run<M: TraceMemory & ~Copyable>(
        _ extent: Extent, _ call: SyscallDescription, _ arguments: CallArguments, entered: [TracePayload],
        result: Int64, memory: inout M, into payloads: inout [TracePayload]
    ) {
        switch extent {
        case .none: return
        case .ioVector(let count):
            let buffers = vector(at: address, count: arguments[count], memory: &memory, into: &payloads)
            guard travels else { return }
            content(of: buffers, atMost: isOutput ? UInt64(max(0, result)) : .max, memory: &memory, into: &payloads)
        case .messageHeader:
            message(result: result, memory: &memory, into: &payloads)
        case .string:
            guard travels else { return }
            string(memory: &memory, into: &payloads)
        case .stringVector:
            guard travels else { return }
            strings(memory: &memory, into: &payloads)
        default:
            guard travels else { return }
            let length = length(extent, call, arguments, entered: entered, result: result, memory: &memory)
            guard let length, length > 0 else { return }
            var most = limit
            if case .fixed(let size) = extent, size <= PayloadPlanner.wholeStructure { most = max(most, size) }
            bytes(.direct, at: address, length, atMost: most, memory: &memory, into: &payloads)
        }
    }

    /// The bytes behind the pointer, for the extents that are one stretch of memory; nil if that can't be known.
    private func length<M: TraceMemory & ~Copyable>(
        _ extent: Extent, _ call: SyscallDescription, _ arguments: CallArguments, entered: [TracePayload],
        result: Int64, memory: inout M
    ) -> UInt64? {
        let result = UInt64(max(0, result))
        switch extent {
        case .fixed(let size): return UInt64(max(0, size))
        case .bytes(let index):
            return self.count(index, call, arguments, entered: entered, memory: &memory)
        case .array(let element, let index):
            let count = self.count(index, call, arguments, entered: entered, memory: &memory)
            return count.map { Self.product($0, element) }
        case .resultBytes(let index): return isOutput ? min(result, arguments[index]) : nil
        case .resultArray(let element, let index):
            return isOutput ? Self.product(min(result, arguments[index]), element) : nil
        case .bits(let index):
            // The kernel takes the count as an int and ignores the call if it is negative.
            let bits = Int64(Int32(truncatingIfNeeded: arguments[index]))
            return bits <= 0 ? 0 : UInt64((bits + 63) / 64 * 8)
        case .pages(let index): return arguments[index] / 4096 + (arguments[index] % 4096 == 0 ? 0 : 1)
        case .none, .string, .stringVector, .ioVector, .messageHeader: return nil
        }
    }

    /// A count that another parameter holds or points at. What comes out is no more than there was room for.
    private func count<M: TraceMemory & ~Copyable>(
        _ index: Int, _ call: SyscallDescription, _ arguments: CallArguments, entered: [TracePayload],
        memory: inout M
    ) -> UInt64? {
        guard index >= 0, index < call.parameters.count else { return nil }
        guard call.parameters[index].direction != .value else { return arguments[index] }
        guard let now = memory.word(UInt32.self, at: arguments[index]) else { return nil }
        let before = entered.first { Int($0.parameter) == index && !$0.isOutput && $0.bytes.count == 4 }
        guard let before, let room = M.integer(UInt32.self, in: before.bytes, at: 0) else { return UInt64(now) }
        return UInt64(min(now, room))
    }

    private static func product(_ count: UInt64, _ element: Int) -> UInt64 {
        let (value, overflow) = count.multipliedReportingOverflow(by: UInt64(max(0, element)))
        return overflow ? .max : value
    }

    /// Captures one stretch of memory.
    private func bytes<M: TraceMemory & ~Copyable>(
        _ part: TracePayload.Part, at address: UInt64, _ length: UInt64, atMost most: Int? = nil, count: UInt32 = 0,
        memory: inout M, into payloads: inout [TracePayload]
    ) {
        let wanted = Int(min(length, UInt64(most ?? limit)))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(wanted)
        let got = memory.read(wanted, at: address, into: &bytes)
        payloads.append(
            TracePayload(
                parameter: parameter, part: part, isOutput: isOutput, isReadable: got == wanted, count: count,
                fullLength: length, bytes: bytes))
    }

    private func string<M: TraceMemory & ~Copyable>(memory: inout M, into payloads: inout [TracePayload]) {
        var bytes: [UInt8] = []
        let (isWhole, isReadable) = memory.string(at: address, limit: limit, into: &bytes)
        let length = UInt64(bytes.count) + (isWhole ? 0 : 1)
        payloads.append(
            TracePayload(
                parameter: parameter, part: .string, isOutput: isOutput, isReadable: isReadable, fullLength: length,
                bytes: bytes))
    }

    /// A vector of strings: each with its NUL, in one payload, the number of them beside it.
    private func strings<M: TraceMemory & ~Copyable>(memory: inout M, into payloads: inout [TracePayload]) {
        var bytes: [UInt8] = []
        var count: UInt32 = 0
        var isWhole = true
        var isReadable = true
        var next = address
        while isReadable, count < PayloadPlanner.maximumStrings {
            guard let pointer = memory.word(UInt64.self, at: next) else {
                isReadable = false
                break
            }
            if pointer == 0 { break }
            count += 1
            next &+= 8
            guard isWhole, bytes.count < limit else {
                isWhole = false
                continue
            }
            let (whole, readable) = memory.string(at: pointer, limit: limit - bytes.count, into: &bytes)
            isWhole = whole
            isReadable = readable
            if whole { bytes.append(0) }
        }
        payloads.append(
            TracePayload(
                parameter: parameter, part: .strings, isOutput: isOutput, isReadable: isReadable, count: count,
                fullLength: UInt64(bytes.count) + (isWhole ? 0 : 1), bytes: bytes))
    }

    /// Captures an array of `iovec` on the way in, and reads what it lists. A count that Linux refuses lists nothing.
    private func vector<M: TraceMemory & ~Copyable>(
        at address: UInt64, count: UInt64, memory: inout M, into payloads: inout [TracePayload]
    ) -> [(address: UInt64, length: UInt64)] {
        guard address != 0, count > 0, count <= PayloadPlanner.maximumVector else { return [] }
        if !isOutput {
            bytes(.vector, at: address, count * 16, count: UInt32(count), memory: &memory, into: &payloads)
        }
        var raw: [UInt8] = []
        _ = memory.read(Int(count) * 16, at: address, into: &raw)
        return (0..<raw.count / 16).compactMap { index in
            guard let base = M.integer(UInt64.self, in: raw, at: index * 16),
                let length = M.integer(UInt64.self, in: raw, at: index * 16 + 8)
            else { return nil }
            return (base, length)
        }
    }

    /// Captures the bytes of buffers, one after the other, as one payload of `most` bytes at most.
    private func content<M: TraceMemory & ~Copyable>(
        of buffers: [(address: UInt64, length: UInt64)], atMost most: UInt64, memory: inout M,
        into payloads: inout [TracePayload]
    ) {
        var bytes: [UInt8] = []
        var left = most
        var total: UInt64 = 0
        var isReadable = true
        for buffer in buffers {
            let length = min(buffer.length, left)
            left -= length
            total = total.addingReportingOverflow(length).overflow ? .max : total + length
            let wanted = Int(min(length, UInt64(max(0, limit - bytes.count))))
            guard isReadable, wanted > 0 else { continue }
            isReadable = memory.read(wanted, at: buffer.address, into: &bytes) == wanted
        }
        guard total > 0 else { return }
        payloads.append(
            TracePayload(
                parameter: parameter, part: .content, isOutput: isOutput, isReadable: isReadable,
                count: UInt32(buffers.count), fullLength: total, bytes: bytes))
    }

    /// Captures a `msghdr`: itself both ways; its vector on the way in; name, content and control with the data.
    private func message<M: TraceMemory & ~Copyable>(
        result: Int64, memory: inout M, into payloads: inout [TracePayload]
    ) {
        var header: [UInt8] = []
        _ = memory.read(56, at: address, into: &header)
        bytes(.header, at: address, 56, atMost: 56, memory: &memory, into: &payloads)
        guard let name = M.integer(UInt64.self, in: header, at: 0),
            let nameLength = M.integer(UInt32.self, in: header, at: 8),
            let buffers = M.integer(UInt64.self, in: header, at: 16),
            let count = M.integer(UInt64.self, in: header, at: 24),
            let control = M.integer(UInt64.self, in: header, at: 32),
            let controlLength = M.integer(UInt64.self, in: header, at: 40)
        else { return }
        let list = vector(at: buffers, count: count, memory: &memory, into: &payloads)
        guard isOutput || direction == .in else { return }
        if name != 0, nameLength > 0 {
            bytes(.name, at: name, UInt64(min(nameLength, 128)), memory: &memory, into: &payloads)
        }
        content(of: list, atMost: isOutput ? UInt64(max(0, result)) : .max, memory: &memory, into: &payloads)
        if control != 0, controlLength > 0 {
            bytes(.control, at: control, controlLength, memory: &memory, into: &payloads)
        }
    }
}
