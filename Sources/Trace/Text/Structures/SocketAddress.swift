/// A `sockaddr` of the families that programs use.
enum SocketAddress {
    static func decode(_ bytes: [UInt8], fullLength: UInt64) -> Decoded {
        let view = Bytes(bytes)
        let whole: Decoded = .bytes(bytes, fullLength: fullLength)
        guard bytes.count >= 2 else { return whole }
        let family = Decoded.field("sa_family", .flags("socket_domain", UInt64(view.u16(0))))
        switch view.u16(0) {
        case 1:
            let rest = Array(bytes.dropFirst(2))
            guard let first = rest.first else { return .structure([family]) }
            // An abstract name starts with a NUL and may hold more.
            let path = first == 0 ? rest : Array(rest.prefix { $0 != 0 })
            return .structure([family, Decoded.field("sun_path", .bytes(path, fullLength: UInt64(path.count)))])
        case 2 where bytes.count >= 8:
            let address = bytes[4..<8].map { "\($0)" }.joined(separator: ".")
            return .structure([
                family, Decoded.field("sin_port", .scalar("htons(\(view.u16(2).byteSwapped))")),
                Decoded.field("sin_addr", .scalar("inet_addr(\"\(address)\")")),
            ])
        case 10 where bytes.count >= 24:
            let groups = stride(from: 8, to: 24, by: 2).map { String(view.u16($0).byteSwapped, radix: 16) }
            return .structure([
                family, Decoded.field("sin6_port", .scalar("htons(\(view.u16(2).byteSwapped))")),
                Decoded.field("sin6_addr", .scalar(groups.joined(separator: ":"))),
                Decoded.field("sin6_scope_id", .number(view.u32(24))),
            ])
        case 16 where bytes.count >= 12:
            return .structure([
                family, Decoded.field("nl_pid", .process(view.i32(4))),
                Decoded.field("nl_groups", .hex(UInt64(view.u32(8)))),
            ])
        default: return whole
        }
    }
}
