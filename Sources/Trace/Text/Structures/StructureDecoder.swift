internal import LinuxABI
internal import TraceModel

/// Takes the bytes behind a pointer apart, by the C type that the table gives the parameter.
///
/// Bytes that are too few for their structure stay bytes. The input may be hostile: nothing here indexes past its end.
struct StructureDecoder {
    let call: String
    let isOutput: Bool
    /// The call's registers, for what depends on a command number.
    let arguments: CallArguments

    func decode(_ type: String, parameter: String, _ payload: TracePayload) -> Decoded {
        let bytes = payload.bytes
        let whole: Decoded = .bytes(bytes, fullLength: payload.fullLength)
        if let special = special(parameter, bytes) { return special }
        func one(_ size: Int, _ decode: (Bytes) -> Decoded) -> Decoded {
            bytes.count < size ? whole : decode(Bytes(bytes))
        }
        func many(_ size: Int, _ decode: (Bytes) -> Decoded) -> Decoded {
            guard bytes.count >= size || bytes.isEmpty else { return whole }
            let parts = stride(from: 0, to: bytes.count - bytes.count % size, by: size).map { start in
                decode(Bytes(bytes[start..<start + size]))
            }
            return .list(parts, isCut: payload.isTruncated)
        }
        switch StructureDecoder.plain(type) {
        case "struct stat", "struct compat_stat": return one(144, stat)
        case "struct statx": return one(256, statx)
        case "struct statfs": return one(120, statfs)
        case "struct linux_dirent64": return directoryEntries(bytes, isCut: payload.isTruncated)
        case "struct flock": return one(32, fileLock)
        case "struct open_how": return one(24, openHow)
        case "struct __kernel_timespec": return bytes.count == 32 ? many(16, timespec) : one(16, timespec)
        case "struct __kernel_old_timeval": return bytes.count == 32 ? many(16, timeval) : one(16, timeval)
        case "struct __kernel_itimerspec": return one(32) { interval($0, timespec) }
        case "struct __kernel_old_itimerval": return one(32) { interval($0, timeval) }
        case "__kernel_old_time_t": return one(8) { .number($0.i64(0), .time) }
        case "struct tms": return one(32, processTimes)
        case "struct rusage": return one(144, resourceUsage)
        case "struct sigaction": return one(32, signalAction)
        case "sigset_t": return one(8) { .scalar(SignalText.set($0.u64(0))) }
        case "siginfo_t", "struct siginfo": return one(128, signalInformation)
        case "stack_t": return one(24, signalStack)
        case "struct sigevent": return one(64, signalEvent)
        case "struct pollfd": return many(8, pollDescriptor)
        case "struct epoll_event": return call == "epoll_ctl" ? one(12, epollEvent) : many(12, epollEvent)
        case "fd_set": return descriptorSet(bytes)
        case "struct rlimit", "struct rlimit64": return one(16, resourceLimit)
        case "struct sysinfo": return one(112, systemInformation)
        case "struct new_utsname": return one(390, systemNames)
        case "struct sockaddr": return SocketAddress.decode(bytes, fullLength: payload.fullLength)
        case "struct clone_args": return one(64, cloneArguments)
        case "cap_user_header_t":
            return one(8) {
                .structure([
                    Decoded.field("version", .hex(UInt64($0.u32(0)))), Decoded.field("pid", .process($0.i32(4))),
                ])
            }
        case "cap_user_data_t": return many(4) { .hex(UInt64($0.u32(0))) }
        case "struct sched_param": return one(4) { .structure([Decoded.field("sched_priority", .number($0.i32(0)))]) }
        case "struct timezone":
            return one(8) {
                .structure([
                    Decoded.field("tz_minuteswest", .number($0.i32(0))),
                    Decoded.field("tz_dsttime", .number($0.i32(4))),
                ])
            }
        case "uid_t", "gid_t", "unsigned", "unsigned int", "u32", "timer_t":
            return bytes.count == 4 ? one(4) { .number($0.u32(0)) } : many(4) { .number($0.u32(0)) }
        case "int": return bytes.count == 4 ? one(4) { .number($0.i32(0)) } : many(4) { .number($0.i32(0)) }
        case "loff_t", "off_t": return one(8) { .number($0.i64(0)) }
        case "size_t": return one(8) { .number($0.u64(0)) }
        case "struct robust_list_head __user *": return one(8) { .address($0.u64(0)) }
        default: return whole
        }
    }

    /// Parameters whose meaning their C type does not tell.
    private func special(_ parameter: String, _ bytes: [UInt8]) -> Decoded? {
        let view = Bytes(bytes)
        switch (call, parameter) {
        case ("wait4", "stat_addr") where bytes.count >= 4: return .scalar(SignalText.waitStatus(view.i32(0)))
        case ("pipe", _) where bytes.count >= 8, ("pipe2", _) where bytes.count >= 8,
            ("socketpair", _) where bytes.count >= 8:
            return .list([.descriptor(view.i32(0)), .descriptor(view.i32(4))], isCut: false)
        case ("getrandom", _): return .bytes(bytes, fullLength: UInt64(bytes.count), .random)
        case ("fcntl", _): return control(view, bytes.count)
        case ("ioctl", _): return deviceControl(view, bytes.count)
        case ("arch_prctl", _) where bytes.count == 8: return .address(view.u64(0))
        case ("prctl", _) where bytes.count == 4: return .number(view.i32(0))
        case ("prctl", _) where bytes.count == 8: return .address(view.u64(0))
        case ("pselect6", "sig") where bytes.count >= 16:
            return .structure([
                Decoded.field("sigmask", .address(view.u64(0))), Decoded.field("sigsetsize", .number(view.u64(8))),
            ])
        case ("mincore", _): return .list(bytes.map { .number($0 & 1) }, isCut: false)
        case ("getcpu", _) where bytes.count >= 4: return .number(view.u32(0), .usage)
        default: return nil
        }
    }

    private func control(_ view: Bytes, _ count: Int) -> Decoded? {
        switch count {
        case 32: fileLock(view)
        case 8:
            .structure([
                Decoded.field("type", .number(view.i32(0))), Decoded.field("pid", .process(view.i32(4))),
            ])
        default: nil
        }
    }

    private func deviceControl(_ view: Bytes, _ count: Int) -> Decoded? {
        switch (UInt32(truncatingIfNeeded: arguments[1]), count) {
        case (0x540f, 4), (0x5410, 4), (0x5429, 4): .process(view.i32(0))
        case (0x5413, 8), (0x5414, 8):
            .structure([
                Decoded.field("ws_row", .number(view.u16(0))), Decoded.field("ws_col", .number(view.u16(2))),
                Decoded.field("ws_xpixel", .number(view.u16(4))), Decoded.field("ws_ypixel", .number(view.u16(6))),
            ])
        case (_, 4): .number(view.i32(0))
        case (0x5401...0x5404, 36):
            .structure([
                Decoded.field("c_iflag", .hex(UInt64(view.u32(0)))),
                Decoded.field("c_oflag", .hex(UInt64(view.u32(4)))),
                Decoded.field("c_cflag", .hex(UInt64(view.u32(8)))),
                Decoded.field("c_lflag", .hex(UInt64(view.u32(12)))),
            ])
        default: nil
        }
    }

    /// A C type without `const`, `__user` and its last star.
    static func plain(_ type: String) -> String {
        var words = type.split(separator: " ").filter { $0 != "const" }
        if words.last == "*" { words.removeLast() }
        if words.last == "__user" { words.removeLast() }
        return words.joined(separator: " ")
    }
}

/// Little-endian numbers in some bytes; zero past their end.
struct Bytes {
    private let bytes: [UInt8]

    init(_ bytes: some Collection<UInt8>) { self.bytes = Array(bytes) }

    var count: Int { bytes.count }

    private func number(_ offset: Int, _ size: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<size where offset + index < bytes.count {
            value |= UInt64(bytes[offset + index]) << UInt64(8 * index)
        }
        return value
    }

    func u16(_ offset: Int) -> UInt16 { UInt16(truncatingIfNeeded: number(offset, 2)) }
    func u32(_ offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: number(offset, 4)) }
    func u64(_ offset: Int) -> UInt64 { number(offset, 8) }
    func i32(_ offset: Int) -> Int32 { Int32(bitPattern: u32(offset)) }
    func i64(_ offset: Int) -> Int64 { Int64(bitPattern: u64(offset)) }

    /// The bytes from an offset up to the first NUL, at most `count`.
    func string(_ offset: Int, _ count: Int) -> [UInt8] {
        let start = min(max(0, offset), bytes.count)
        let end = min(start + max(0, count), bytes.count)
        return Array(bytes[start..<end].prefix { $0 != 0 })
    }
}
