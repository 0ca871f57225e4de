internal import LinuxABI
internal import TraceModel

/// Says what the memory behind a parameter holds.
struct PayloadDecoder {
    let call: String
    let isOutput: Bool
    let arguments: CallArguments

    /// Nil if nothing was captured, or nothing of it could be read. `vector` is the `iovec` array that went in.
    func decode(_ parameter: ParameterDescription, _ payloads: [TracePayload], vector: TracePayload?) -> Decoded? {
        guard let first = payloads.first else { return nil }
        if payloads.contains(where: { $0.part == .header }) { return message(payloads, vector: vector) }
        switch first.part {
        case .string:
            return first.isReadable || !first.bytes.isEmpty ? .bytes(first.bytes, fullLength: first.fullLength) : nil
        case .strings: return strings(first)
        case .vector, .content:
            return buffers(vector, content: payloads.first { $0.part == .content })
        default: break
        }
        guard first.isReadable else { return nil }
        if parameter.role == .path || parameter.role == .string { return text(first) }
        let structures = StructureDecoder(call: call, isOutput: isOutput, arguments: arguments)
        return structures.decode(parameter.cType, parameter: parameter.name, first)
    }

    /// A path that the kernel wrote: getcwd(2) ends it by a NUL, readlink(2) does not.
    private func text(_ payload: TracePayload) -> Decoded {
        guard payload.bytes.last == 0, !payload.isTruncated else {
            return .bytes(payload.bytes, fullLength: payload.fullLength)
        }
        return .bytes(Array(payload.bytes.dropLast()), fullLength: payload.fullLength - 1)
    }

    private func strings(_ payload: TracePayload) -> Decoded {
        var parts = payload.bytes.split(separator: 0, omittingEmptySubsequences: false)
        // The last string's NUL leaves an empty rest; without one it was cut.
        if parts.last?.isEmpty == true { parts.removeLast() }
        let elements = parts.map { Decoded.bytes(Array($0), fullLength: UInt64($0.count)) }
        return .list(elements, isCut: payload.isTruncated || elements.count < Int(payload.count))
    }

    /// An `iovec` array with what is behind it, where that is known.
    private func buffers(_ vector: TracePayload?, content: TracePayload?) -> Decoded? {
        guard let vector, vector.isReadable else { return content.map { .bytes($0.bytes, fullLength: $0.fullLength) } }
        let view = Bytes(vector.bytes)
        var rest = content?.bytes[...] ?? []
        var left = content?.fullLength ?? 0
        var elements: [Decoded] = []
        for start in stride(from: 0, to: vector.bytes.count - vector.bytes.count % 16, by: 16) {
            let length = view.u64(start + 8)
            var base = Decoded.address(view.u64(start))
            if content != nil {
                let full = min(length, left)
                let part = rest.prefix(Int(min(full, UInt64(rest.count))))
                base = .bytes(Array(part), fullLength: full)
                rest = rest.dropFirst(part.count)
                left -= full
            }
            elements.append(
                .structure([Decoded.field("iov_base", base), Decoded.field("iov_len", .number(length))]))
        }
        return .list(elements, isCut: vector.isTruncated)
    }

    /// A `msghdr` with its parts.
    private func message(_ payloads: [TracePayload], vector: TracePayload?) -> Decoded? {
        func part(_ part: TracePayload.Part) -> TracePayload? { payloads.first { $0.part == part } }
        guard let header = part(.header), header.isReadable, header.bytes.count >= 56 else { return nil }
        let view = Bytes(header.bytes)
        let name = part(.name).map { SocketAddress.decode($0.bytes, fullLength: $0.fullLength) }
        let vector = part(.vector) ?? vector
        var fields = [
            Decoded.field("msg_name", name ?? .address(view.u64(0))),
            Decoded.field("msg_namelen", .number(view.u32(8))),
            Decoded.field("msg_iov", buffers(vector, content: part(.content)) ?? .address(view.u64(16))),
            Decoded.field("msg_iovlen", .number(view.u64(24))),
        ]
        if let control = part(.control) { fields.append(Decoded.field("msg_control", ControlMessages.decode(control))) }
        fields.append(Decoded.field("msg_controllen", .number(view.u64(40))))
        fields.append(Decoded.field("msg_flags", .flags("msg_flags", UInt64(view.u32(48)))))
        return .structure(fields)
    }
}

/// The `cmsghdr`s of a message.
enum ControlMessages {
    static func decode(_ payload: TracePayload) -> Decoded {
        let view = Bytes(payload.bytes)
        var list: [Decoded] = []
        var start = 0
        while start + 16 <= view.count {
            let length = view.u64(start)
            guard length >= 16, length <= UInt64(view.count - start) else { break }
            let count = Int(length) - 16
            let level = view.i32(start + 8)
            let type = view.i32(start + 12)
            let data: Decoded =
                switch (level, type) {
                case (1, 1):
                    .list(
                        stride(from: 0, to: count - count % 4, by: 4).map {
                            .descriptor(view.i32(start + 16 + $0))
                        }, isCut: false)
                case (1, 2) where count >= 12:
                    .structure([
                        Decoded.field("pid", .process(view.i32(start + 16))),
                        Decoded.field("uid", .number(view.u32(start + 20))),
                        Decoded.field("gid", .number(view.u32(start + 24))),
                    ])
                default: .bytes(view.slice(start + 16, count), fullLength: UInt64(count))
                }
            list.append(
                .structure([
                    Decoded.field("cmsg_level", .flags("socket_level", UInt64(bitPattern: Int64(level)))),
                    Decoded.field("cmsg_type", .scalar(level == 1 && type == 1 ? "SCM_RIGHTS" : "\(type)")),
                    Decoded.field("cmsg_data", data),
                ]))
            start += (Int(length) + 7) & ~7
        }
        return .list(list, isCut: payload.isTruncated)
    }
}
