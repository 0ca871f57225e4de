import LinuxABI
import Testing
import TraceModel

@testable import Trace

@Suite("text traces")
struct TraceTextTests {
    /// The line of a call whose payloads are `(parameter, part, isOutput, bytes)`.
    static func line(
        _ name: String, _ arguments: [UInt64], _ result: Int64,
        _ payloads: [(UInt8, TracePayload.Part, Bool, [UInt8])] = [], cut: UInt64 = 0
    ) throws -> String {
        let number = try #require(SyscallTable.x86_64[name]?.number)
        let call = TracedCall(
            number: number, arguments: CallArguments(arguments),
            payloads: payloads.map { parameter, part, isOutput, bytes in
                TracePayload(
                    parameter: parameter, part: part, isOutput: isOutput,
                    count: part == .strings ? UInt32(bytes.count { $0 == 0 }) : 0,
                    fullLength: UInt64(bytes.count) + cut, bytes: bytes)
            })
        return TraceText().text(.call(call, result: CallResult(result))) ?? ""
    }

    /// Little-endian words of 8 bytes.
    static func words(_ values: UInt64...) -> [UInt8] {
        values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
    }

    static let currentDirectory = UInt64(bitPattern: -100)

    @Test("flags are named, and the mode appears only where a file may be made")
    func flags() throws {
        let path = (UInt8(1), TracePayload.Part.string, false, Array("/tmp/a\n".utf8))
        #expect(
            try Self.line("openat", [Self.currentDirectory, 1, 0x80241, 0o644], 3, [path])
                == "openat(AT_FDCWD, \"/tmp/a\\n\", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644) = 3")
        #expect(
            try Self.line("openat", [Self.currentDirectory, 1, 0x80000, 0x7777], 3, [path])
                == "openat(AT_FDCWD, \"/tmp/a\\n\", O_RDONLY|O_CLOEXEC) = 3")
        #expect(
            try Self.line("mmap", [0, 4096, 3, 0x22, UInt64(UInt32.max), 0], 0x7f00_0000_0000)
                == "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000")
        #expect(
            try Self.line("mmap", [0, 4096, 0, 0x4000_0002, UInt64(UInt32.max), 0], 4096).contains(
                "PROT_NONE, MAP_PRIVATE|0x40000000"))
        #expect(
            try Self.line("futex", [16, 0x189, 0, 0, 99, 0xffff_ffff], 0)
                == "futex(0x10, FUTEX_WAIT_BITSET|FUTEX_PRIVATE_FLAG|FUTEX_CLOCK_REALTIME, 0, NULL, 0xffffffff) = 0")
    }

    @Test("errors have their name and their sentence")
    func errors() throws {
        #expect(
            try Self.line("close", [99], -9)
                == "close(99)                               = -1 EBADF (Bad file descriptor)")
        #expect(try Self.line("pause", [], -514).hasSuffix("= ? ERESTARTNOHAND (To be restarted if no handler)"))
    }

    @Test("buffers are quoted and cut; what the capture has cut ends in dots, too")
    func buffers() throws {
        #expect(
            try Self.line("write", [1, 8, 6], 6, [(1, .direct, false, Array("a\"\\\t\0é".utf8))])
                == "write(1, \"a\\\"\\\\\\t\\000\\303\\251\", 6)      = 6")
        let long = [UInt8](repeating: 0x61, count: 40)
        #expect(try Self.line("write", [1, 8, 40], 40, [(1, .direct, false, long)]).contains("aaa\"..., 40)"))
        #expect(try Self.line("write", [1, 8, 9], 9, [(1, .direct, false, [0x61])], cut: 8).contains("\"a\"..., 9)"))
        #expect(try Self.line("read", [0, 0x1000, 9], -4).hasPrefix("read(0, 0x1000, 9)"))
    }

    @Test("structures are taken apart")
    func structures() throws {
        #expect(
            try Self.line("prlimit64", [0, 7, 0, 8], 0, [(3, .direct, true, Self.words(1024, .max))])
                == "prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1024, rlim_max=RLIM64_INFINITY}) = 0")
        #expect(
            try Self.line("wait4", [UInt64(bitPattern: -1), 8, 1, 0], 42, [(1, .direct, true, [0, 3, 0, 0])])
                == "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 42")
        #expect(
            try Self.line("pipe2", [8, 0x80000], 0, [(0, .direct, true, [3, 0, 0, 0, 4, 0, 0, 0])])
                == "pipe2([3, 4], O_CLOEXEC)                = 0")
        let action = Self.words(0x5555, 0x1400_0000, 0x7777, 1 << 16)
        #expect(
            try Self.line("rt_sigaction", [2, 8, 0, 8], 0, [(1, .direct, false, action)])
                == "rt_sigaction(SIGINT, {sa_handler=0x5555, sa_mask=[CHLD], sa_flags=SA_RESTORER|SA_RESTART, "
                + "sa_restorer=0x7777}, NULL, 8) = 0")
        #expect(
            try Self.line(
                "clock_nanosleep", [0, 0, 8, 8], 0,
                [
                    (2, .direct, false, Self.words(1, 5)), (3, .direct, true, Self.words(9, 9)),
                ]) == "clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=1, tv_nsec=5}, 0x8) = 0")
        let vector = Self.words(0x10, 3, 0x20, 2)
        #expect(
            try Self.line(
                "writev", [1, 8, 2], 5, [(1, .vector, false, vector), (1, .content, false, Array("abcde".utf8))])
                == "writev(1, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"de\", iov_len=2}], 2) = 5")
        #expect(
            try Self.line(
                "execve", [8, 8, 8], -2,
                [
                    (0, .string, false, Array("/x".utf8)), (1, .strings, false, Array("a\0b\0".utf8)),
                    (2, .strings, false, []),
                ]
            ).hasPrefix("execve(\"/x\", [\"a\", \"b\"], [])"))
    }

    @Test("a directory's entries are listed, and a broken list stays what can be read of it")
    func directories() throws {
        var entry = Self.words(7, 1) + [24, 0, 4] + Array("ab\0\0\0".utf8)
        #expect(entry.count == 24)
        let line = try Self.line("getdents64", [3, 8, 1024], 24, [(1, .direct, true, entry)])
        #expect(line.contains("[{d_ino=7, d_off=1, d_reclen=24, d_type=DT_DIR, d_name=\"ab\"}]"))
        entry[16] = 3
        #expect(try Self.line("getdents64", [3, 8, 1024], 24, [(1, .direct, true, entry)]).contains("[...]"))
    }

    @Test("signals, ends and threads look as strace shows them")
    func lines() {
        var text = TraceText()
        func event(_ thread: Int32, _ kind: TraceEvent.Kind) -> TraceEvent {
            TraceEvent(sequence: 0, process: 10, thread: thread, kind: kind)
        }
        #expect(
            text.line(event(10, .signal(TracedSignal(number: 11, code: 1, address: 0x1234))))
                == "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x1234} ---")
        #expect(
            text.line(event(11, .signal(TracedSignal(number: 10, code: 0, sender: 10))))
                == "[pid 11] --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=10} ---")
        #expect(
            TraceText.signal(TracedSignal(number: 14, code: -2, value: 9))
                == "SIGALRM {si_signo=SIGALRM, si_code=SI_TIMER, si_int=9}")
        #expect(
            TraceText.signal(TracedSignal(number: 17, code: 2, sender: 5, value: 9))
                == "SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=5, si_status=SIGKILL}")
        #expect(
            TraceText.signal(TracedSignal(number: 31, code: 1, value: 102, address: 16))
                == "SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x10, si_syscall=__NR_getuid}")
        #expect(text.line(event(10, .exit(WaitStatus(exitCode: 0)))) == nil)
        #expect(
            text.line(event(10, .processExit(WaitStatus(signal: 9)))) == "[pid 10] +++ killed by SIGKILL +++")
        #expect(TraceText().text(.processExit(WaitStatus(exitCode: 3))) == "+++ exited with 3 +++")
        let ended = TracedCall(number: 231, arguments: CallArguments([3]))
        #expect(
            TraceText().text(.unfinished(ended, .ended)) == "exit_group(3)                           = ?")
    }

    @Test("no event can trap the printer")
    func random() {
        var text = TraceText()
        var generator = SeededGenerator(21)
        var count = 0
        for var event in RandomEvents.make(20_000, seed: 22) {
            if case .call(var call, let result) = event.kind {
                // Calls of the whole table, with bytes that fit nothing.
                call.number = Int.random(in: 0..<470, using: &generator)
                event.kind = .call(call, result: result)
            }
            count += text.line(event)?.isEmpty == false ? 1 : 0
        }
        #expect(count > 10_000)
    }

    @Test("every flag set that the table names is there, or is known to have no names")
    func sets() {
        let named = SyscallTable.x86_64.rows.compactMap(\.self).flatMap(\.parameters).compactMap(\.flagSet)
        let without: Set = [
            "bpf_cmd", "fanotify_flags", "fanotify_mark_flags", "fanotify_mask", "fsconfig_cmd", "fsmount_flags",
            "fsopen_flags", "fspick_flags", "futex2_flags", "get_mempolicy_flags", "io_uring_register_op", "kcmp_type",
            "keyctl_op", "mbind_flags", "module_flags", "mount_attr_flags", "move_mount_flags", "open_tree_flags",
            "perf_event_flags", "pkey_rights", "reboot_cmd", "swap_flags", "syslog_type",
        ]
        #expect(Set(named.filter { FlagLists.set($0) == nil }) == without)
    }
}
