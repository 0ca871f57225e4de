internal import TraceModel

extension StructureDecoder {
    /// What comes out of a call is a reading of a clock, and so is a point in time that goes in; a span of time is the
    /// program's own choice.
    private var timeKind: ValueKind { isOutput || isAbsolute ? .time : .plain }

    /// Whether the call takes a point in time.
    private var isAbsolute: Bool {
        switch call {
        // FUTEX_LOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2
        case "futex": [6, 9, 11, 13].contains(arguments[1] & 0x7f)
        case "clock_nanosleep", "timerfd_settime", "timer_settime": arguments[1] & 1 == 1
        default: false
        }
    }

    func timespec(_ bytes: Bytes) -> Decoded { seconds(bytes, "tv_nsec") }
    func timeval(_ bytes: Bytes) -> Decoded { seconds(bytes, "tv_usec") }

    private func seconds(_ bytes: Bytes, _ fraction: String) -> Decoded {
        let name =
            switch (fraction, bytes.i64(8)) {
            case ("tv_nsec", 0x3fff_ffff): "UTIME_NOW"
            case ("tv_nsec", 0x3fff_fffe): "UTIME_OMIT"
            default: "\(bytes.i64(8))"
            }
        // utimensat(2): then tv_sec is ignored, and programs leave there what the stack held.
        if call == "utimensat", name.hasPrefix("UTIME_") {
            return .structure([Decoded.field(fraction, .scalar(name, timeKind))])
        }
        return .structure([
            Decoded.field("tv_sec", .number(bytes.i64(0), timeKind)), Decoded.field(fraction, .scalar(name, timeKind)),
        ])
    }

    /// `itimerspec` and `itimerval`: the interval is as it was set, what is left of it is a reading.
    func interval(_ bytes: Bytes, _ half: (Bytes) -> Decoded) -> Decoded {
        let input = StructureDecoder(call: call, isOutput: false, arguments: arguments)
        let plain = Bytes(bytes.slice(0, 16))
        let repeated = isOutput ? (call.contains("itimer") ? input.timeval(plain) : input.timespec(plain)) : half(plain)
        return .structure([
            Decoded.field("it_interval", repeated), Decoded.field("it_value", half(Bytes(bytes.slice(16, 16)))),
        ])
    }

    /// `struct tms`.
    func processTimes(_ bytes: Bytes) -> Decoded {
        .structure(
            ["tms_utime", "tms_stime", "tms_cutime", "tms_cstime"].enumerated().map { index, name in
                Decoded.field(name, .number(bytes.i64(8 * index), .usage))
            })
    }

    /// `struct rusage`: every number of it is a measurement.
    func resourceUsage(_ bytes: Bytes) -> Decoded {
        .structure([
            Decoded.field("ru_utime", .scalar("{tv_sec=\(bytes.i64(0)), tv_usec=\(bytes.i64(8))}", .usage)),
            Decoded.field("ru_stime", .scalar("{tv_sec=\(bytes.i64(16)), tv_usec=\(bytes.i64(24))}", .usage)),
            Decoded.field("ru_maxrss", .number(bytes.i64(32), .usage)),
        ])
    }

    /// `struct sysinfo`.
    func systemInformation(_ bytes: Bytes) -> Decoded {
        .structure([
            Decoded.field("uptime", .number(bytes.i64(0), .usage)),
            Decoded.field("totalram", .number(bytes.u64(32), .usage)),
            Decoded.field("freeram", .number(bytes.u64(40), .usage)),
            Decoded.field("procs", .number(bytes.u16(80), .usage)), Decoded.field("mem_unit", .number(bytes.u32(104))),
        ])
    }

    /// `struct new_utsname`.
    func systemNames(_ bytes: Bytes) -> Decoded {
        .structure(
            ["sysname", "nodename", "release", "version", "machine", "domainname"].enumerated().map { index, name in
                let text = bytes.string(65 * index, 65)
                return Decoded.field(name, .bytes(text, fullLength: UInt64(text.count)))
            })
    }

    /// `struct rlimit`.
    func resourceLimit(_ bytes: Bytes) -> Decoded {
        func limit(_ value: UInt64) -> Decoded {
            if value == .max { return .scalar("RLIM64_INFINITY") }
            return .scalar(value > 1024 && value % 1024 == 0 ? "\(value / 1024)*1024" : "\(value)")
        }
        return .structure([
            Decoded.field("rlim_cur", limit(bytes.u64(0))), Decoded.field("rlim_max", limit(bytes.u64(8))),
        ])
    }
}

extension Bytes {
    /// The bytes from an offset on, at most `count`.
    func slice(_ offset: Int, _ count: Int) -> [UInt8] {
        (0..<max(0, min(count, self.count - offset))).map { UInt8(truncatingIfNeeded: u16(offset + $0)) }
    }
}
