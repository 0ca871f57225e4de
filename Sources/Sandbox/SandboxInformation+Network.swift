internal import Kernel
internal import LinuxABI
internal import VFS

/// `/proc/net`: sockets of `AF_UNIX`, a loopback that carries nothing, and the heads of tables that stay empty, since a
/// guest has no sockets of other families.
extension SandboxInformation {
    static let emptyTables: [String: String] = [
        "net/arp": "IP address       HW type     Flags       HW address            Mask     Device",
        "net/dev": """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls \
        carrier compressed
            lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0 \
              0          0
        """,
        "net/netlink": "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode",
        "net/packet": "sk               RefCnt Type Proto  Iface R Rmem   User   Inode",
        "net/raw": tableHead + " ref pointer drops",
        "net/route": "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
            + String(repeating: " ", count: 55),
        "net/tcp": tableHead + String(repeating: " ", count: 53),
        "net/udp": " " + tableHead + " ref pointer drops" + String(repeating: " ", count: 12),
    ]

    private static let tableHead =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

    /// Each that has a descriptor, once, in the order of their inodes.
    var openSockets: [UnixSocket] {
        var sockets: [ObjectIdentifier: UnixSocket] = [:]
        for thread in kernel.threads.values {
            for number in thread.files.numbers {
                guard let socket = (try? thread.files.file(number))?.operations as? UnixSocket else { continue }
                sockets[ObjectIdentifier(socket)] = socket
            }
        }
        func inode(_ socket: UnixSocket) -> UInt64 { (try? socket.inode.attributes().inode) ?? 0 }
        return sockets.values.sorted { inode($0) < inode($1) }
    }

    /// Where in memory a socket is Linux does not tell either.
    func unixSockets() -> [UInt8] {
        var text = Array("Num       RefCount Protocol Flags    Type St Inode Path\n".utf8)
        for socket in openSockets {
            let inode = (try? socket.inode.attributes().inode) ?? 0
            let references: UInt32 = socket.isConnected ? 3 : 2
            let flags: UInt32 = socket.isListening ? 0x10000 : 0
            let state: UInt32 = socket.isConnected ? 3 : 1
            text += Array("0000000000000000: \(references.hex(8)) 00000000 \(flags.hex(8)) ".utf8)
            text += Array("\(UInt32(socket.type.rawValue).hex(4)) \(state.hex(2)) \(inode.right(5))".utf8)
            switch socket.address {
            case .path(let path): text += [0x20] + path
            case .abstract(let name): text += [0x20, 0x40] + name.map { $0 == 0 ? 0x40 : $0 }
            default: break
            }
            text.append(0x0a)
        }
        return text
    }
}
