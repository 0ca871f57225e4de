internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// socket(7).
    static let sockets: [SyscallRow] = [
        implement(Linux.socket, onlyUnix) { (t, family, type, number) throws(Errno) in
            try t.socket(family, type, number)
        },
        implement(Linux.socketpair, onlyUnix) { (t, family, type, number, pair) throws(Errno) in
            try t.socketpair(family, type, number, pair.address)
        },
        implement(Linux.bind, onlyUnix) { (t, fd, address, length) throws(Errno) in
            try t.bind(fd, address.address, length)
        },
        implement(Linux.listen) { (t, fd, backlog) throws(Errno) in try t.listen(fd, backlog) },
        implement(Linux.connect, onlyUnix) { (t, fd, address, length) throws(Errno) in
            try t.connect(fd, address.address, length)
        },
        implement(Linux.accept) { (t, fd, address, length) throws(Errno) in
            try t.accept(fd, address.address, length.address, 0)
        },
        implement(Linux.accept4) { (t, fd, address, length, flags) throws(Errno) in
            try t.accept(fd, address.address, length.address, flags)
        },
        implement(Linux.getsockname) { (t, fd, address, length) throws(Errno) in
            try t.getsockname(fd, address.address, length.address)
        },
        implement(Linux.getpeername) { (t, fd, address, length) throws(Errno) in
            try t.getpeername(fd, address.address, length.address)
        },
        implement(Linux.shutdown) { (t, fd, how) throws(Errno) in try t.shutdown(fd, how) },
        implement(Linux.sendto, noOutOfBand) { (t, fd, buffer, count, flags, address, length) throws(Errno) in
            try t.sendto(fd, buffer.address, count, flags, address.address, length)
        },
        implement(Linux.sendmsg, noOutOfBand) { (t, fd, message, flags) throws(Errno) in
            try t.sendmsg(fd, message.address, flags)
        },
        implement(Linux.sendmmsg, noOutOfBand) { (t, fd, vector, count, flags) throws(Errno) in
            try t.sendmmsg(fd, vector.address, count, flags)
        },
        implement(Linux.recvfrom, noOutOfBand) { (t, fd, buffer, count, flags, address, length) throws(Errno) in
            try t.recvfrom(fd, buffer.address, count, flags, address.address, length.address)
        },
        implement(Linux.recvmsg, noOutOfBand) { (t, fd, message, flags) throws(Errno) in
            try t.recvmsg(fd, message.address, flags)
        },
        implement(Linux.recvmmsg, noOutOfBand) { (t, fd, vector, count, flags, timeout) throws(Errno) in
            try t.recvmmsg(fd, vector.address, count, flags, timeout.address)
        },
        implement(Linux.getsockopt, .partial("no SO_PEEK_OFF, SO_PEERPIDFD, SO_PEERGROUPS, filters or timestamps")) {
            (t, fd, level, name, value, length) throws(Errno) in
            try t.getsockopt(fd, level, name, value.address, length.address)
        },
        implement(Linux.setsockopt, .partial("no SO_PEEK_OFF, filters or timestamps")) {
            (t, fd, level, name, value, length) throws(Errno) in
            try t.setsockopt(fd, level, name, value.address, length)
        },
    ]

    private static let onlyUnix = Support.partial("AF_UNIX only; other families are EAFNOSUPPORT")
    private static let noOutOfBand = Support.partial("no out-of-band bytes")
}
