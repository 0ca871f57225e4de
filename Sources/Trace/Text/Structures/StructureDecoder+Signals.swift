extension StructureDecoder {
    /// The kernel's `struct sigaction`: handler, flags, restorer, mask.
    func signalAction(_ bytes: Bytes) -> Decoded {
        let handler = bytes.u64(0)
        let flags = bytes.u64(8)
        let name: Decoded =
            switch handler {
            case 0: .scalar("SIG_DFL")
            case 1: .scalar("SIG_IGN")
            default: .address(handler)
            }
        var fields = [
            Decoded.field("sa_handler", name), Decoded.field("sa_mask", .scalar(SignalText.set(bytes.u64(24)))),
            Decoded.field("sa_flags", .flags("sigaction_flags", flags)),
        ]
        if flags & 0x400_0000 != 0 { fields.append(Decoded.field("sa_restorer", .address(bytes.u64(16)))) }
        return .structure(fields)
    }

    /// The fields of a `siginfo_t` that its code says it has.
    func signalInformation(_ bytes: Bytes) -> Decoded {
        let signal = bytes.i32(0)
        let code = bytes.i32(8)
        guard signal != 0 else { return .structure([]) }
        var fields = [
            Decoded.field("si_signo", .signal(signal)),
            Decoded.field("si_code", .scalar(SignalText.code(code, of: signal))),
        ]
        if code == -2 {
            // SI_TIMER
            fields.append(Decoded.field("si_timerid", .number(bytes.i32(16))))
            fields.append(Decoded.field("si_overrun", .number(bytes.i32(20))))
            fields.append(Decoded.field("si_int", .number(bytes.i32(24))))
        } else if code <= 0 || signal == 17 {
            fields.append(Decoded.field("si_pid", .process(bytes.i32(16))))
            fields.append(Decoded.field("si_uid", .number(bytes.u32(20))))
        }
        if signal == 17, code > 0 { fields.append(Decoded.field("si_status", .number(bytes.i32(24)))) }
        if code == -1 { fields.append(Decoded.field("si_int", .number(bytes.i32(24)))) }
        if code > 0, [4, 7, 8, 11].contains(signal) {
            fields.append(Decoded.field("si_addr", .address(bytes.u64(16))))
        }
        return .structure(fields)
    }

    /// `stack_t`.
    func signalStack(_ bytes: Bytes) -> Decoded {
        .structure([
            Decoded.field("ss_sp", .address(bytes.u64(0))),
            Decoded.field("ss_flags", .flags("sigaltstack_flags", UInt64(bytes.u32(8)))),
            Decoded.field("ss_size", .number(bytes.u64(16))),
        ])
    }

    /// `struct sigevent`.
    func signalEvent(_ bytes: Bytes) -> Decoded {
        let notify = ["SIGEV_SIGNAL", "SIGEV_NONE", "SIGEV_THREAD", "3", "SIGEV_THREAD_ID"]
        let kind = Int(bytes.i32(12))
        var fields = [
            Decoded.field("sigev_value", .hex(bytes.u64(0), .address(bytes.u64(0)))),
            Decoded.field("sigev_signo", .signal(bytes.i32(8))),
            Decoded.field("sigev_notify", .scalar(notify.indices.contains(kind) ? notify[kind] : "\(kind)")),
        ]
        if kind == 4 { fields.append(Decoded.field("sigev_notify_thread_id", .process(bytes.i32(16)))) }
        return .structure(fields)
    }

    /// `struct clone_args`.
    func cloneArguments(_ bytes: Bytes) -> Decoded {
        // CLONE_PIDFD
        let pidfd = bytes.u64(0) & 0x1000 == 0 ? [] : [Decoded.field("pidfd", .address(bytes.u64(8)))]
        return .structure(
            [Decoded.field("flags", .flags("clone_flags", bytes.u64(0)))] + pidfd + [
                Decoded.field("child_tid", .address(bytes.u64(16))),
                Decoded.field("parent_tid", .address(bytes.u64(24))),
                Decoded.field("exit_signal", .signal(Int32(truncatingIfNeeded: bytes.u64(32)))),
                Decoded.field("stack", .address(bytes.u64(40))), Decoded.field("stack_size", .hex(bytes.u64(48))),
                Decoded.field("tls", .address(bytes.u64(56))),
            ])
    }

    /// `struct pollfd`; on the way in the answer is not there yet.
    func pollDescriptor(_ bytes: Bytes) -> Decoded {
        var fields = [
            Decoded.field("fd", .descriptor(bytes.i32(0))),
            Decoded.field("events", .flags("poll_events", UInt64(bytes.u16(4)))),
        ]
        if isOutput { fields.append(Decoded.field("revents", .flags("poll_events", UInt64(bytes.u16(6))))) }
        return .structure(fields)
    }

    /// `struct epoll_event`, packed. Its data is the program's own.
    func epollEvent(_ bytes: Bytes) -> Decoded {
        let data = bytes.u64(4)
        // A value that looks like a pointer is one.
        let kind: ValueKind = data >= 0x10000 && data < 1 << 47 ? .address(data) : .plain
        return .structure([
            Decoded.field("events", .flags("epoll_events", UInt64(bytes.u32(0)))),
            Decoded.field("data", .hex(data, kind)),
        ])
    }

    /// An `fd_set`: the numbers in it.
    func descriptorSet(_ bytes: [UInt8]) -> Decoded {
        var members: [Decoded] = []
        for (index, byte) in bytes.enumerated() {
            for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 { members.append(.number(index * 8 + bit)) }
        }
        return .list(members, isCut: false)
    }
}
