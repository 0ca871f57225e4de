import Foundation
import Glibc
import LinuxABI
import Testing

/// The bytes of a C structure.
private func bytes<T>(of value: T) -> [UInt8] {
    // Safe: the bytes are copied while the value lives; padding of the structures below is zero, as C's {0} makes it.
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
}

@Suite("Structures in guest memory")
struct StructureLayoutTests {
    @Test(
        "struct stat is laid out as the C library has it",
        arguments: ["/", "/dev/null", "/proc/self/exe", "/etc/passwd"])
    func attributes(path: String) throws {
        var native = stat()
        // Safe: lstat(2) fills a structure of its own type.
        let result = unsafe lstat(path, &native)
        try #require(result == 0)
        var reader = ByteReader(bytes(of: native))
        let decoded = StatBuffer(from: &reader)
        #expect(decoded.encoded == bytes(of: native))
        #expect(StatBuffer.size == MemoryLayout<stat>.size)
        #expect(decoded.inode == native.st_ino && decoded.mode == native.st_mode && decoded.links == native.st_nlink)
        #expect(decoded.size == native.st_size && decoded.blocks == native.st_blocks)
        #expect(decoded.representedDevice == native.st_rdev && decoded.userID == native.st_uid)
        #expect(decoded.modificationTime.seconds == native.st_mtim.tv_sec)
        #expect(decoded.changeTime.nanoseconds == native.st_ctim.tv_nsec)
    }

    @Test("sizes are the C library's")
    func sizes() {
        #expect(Timestamp.size == MemoryLayout<timespec>.size)
        #expect(TimeValue.size == MemoryLayout<timeval>.size)
        #expect(TimerSetting<Timestamp>.size == MemoryLayout<itimerspec>.size)
        #expect(TimerSetting<TimeValue>.size == MemoryLayout<itimerval>.size)
        // Safe: only the sizes of these, which hold pointers, are asked.
        let (stack, event) = unsafe (MemoryLayout<stack_t>.size, MemoryLayout<sigevent>.size)
        #expect(SignalStack.size == stack && SignalEvent.size == event)
        #expect(ProcessTimes.size == MemoryLayout<tms>.size)
    }

    @Test("every structure encodes as many bytes as it says")
    func encodedSizes() {
        #expect(Timestamp(seconds: -1, nanoseconds: 2).encoded.count == Timestamp.size)
        #expect(SignalContext(registers: UserRegisters()).encoded.count == SignalContext.size)
        #expect(FloatingPointSoftwareBytes().encoded.count == FloatingPointSoftwareBytes.size)
        #expect(ClockState(time: TimeValue()).encoded.count == ClockState.size)
        let setting = TimerSetting(interval: TimeValue(seconds: 1), value: TimeValue(seconds: 2, microseconds: 3))
        #expect(setting.encoded.count == 32)
        var reader = ByteReader(setting.encoded)
        #expect(TimerSetting<TimeValue>(from: &reader).value == TimeValue(seconds: 2, microseconds: 3))
    }

    @Test("a timer's structure is laid out as the C library has it")
    func timers() {
        let native = itimerspec(
            it_interval: timespec(tv_sec: 1, tv_nsec: 2), it_value: timespec(tv_sec: -3, tv_nsec: 4))
        let ours = TimerSetting(
            interval: Timestamp(seconds: 1, nanoseconds: 2), value: Timestamp(seconds: -3, nanoseconds: 4))
        #expect(ours.encoded == bytes(of: native))
    }

    @Test(
        "device numbers are packed as makedev(3) does",
        arguments: [
            (0, 0), (1, 3), (8, 17), (254, 0), (4095, 255), (4096, 256), (0xfff_ffff, 0xfff_ffff), (.max, .max),
        ]
            as [(UInt32, UInt32)])
    func devices(major: UInt32, minor: UInt32) {
        // Safe: a NULL handle means the program itself; the function is of that type in every C library.
        guard let symbol = unsafe dlsym(nil, "gnu_dev_makedev") else {
            Issue.record("the C library has no gnu_dev_makedev")
            return
        }
        typealias Function = @convention(c) (UInt32, UInt32) -> UInt64
        let expected = unsafe unsafeBitCast(symbol, to: Function.self)(major, minor)
        let device = DeviceNumber(major: major, minor: minor)
        #expect(device.rawValue == expected)
        #expect(device.major == major && device.minor == minor)
    }

    @Test("errno names are the C library's")
    func errnos() {
        // Safe: a NULL handle means the program itself; the function takes a number and gives a constant string or NULL.
        guard let symbol = unsafe dlsym(nil, "strerrorname_np") else {
            Issue.record("the C library has no strerrorname_np")
            return
        }
        typealias Function = @convention(c) (Int32) -> UnsafePointer<CChar>?
        let name = unsafe unsafeBitCast(symbol, to: Function.self)
        for number in Int32(0)..<134 {
            let native = unsafe name(number).map { unsafe String(cString: $0) }
            // The C library prefers two names of the same number.
            let ours = Errno(rawValue: number).name
            let expected = ["EWOULDBLOCK": "EAGAIN", "ENOTSUP": "EOPNOTSUPP"][native ?? ""] ?? native
            #expect(ours == expected ?? "errno \(number)")
        }
        #expect(Errno(rawValue: 134).name == "errno 134" && Errno(rawValue: -1).name == "errno -1")
    }

    @Test("every constant of Errno has the number that its name has")
    func errnoConstants() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let source = try String(
            contentsOf: root.appendingPathComponent("Sources/LinuxABI/Errno.swift"), encoding: .utf8)
        let constants = source.matches(of: /static var (E[A-Z0-9]+): Errno \{ Errno\((\d+)\) \}/)
        #expect(constants.count > 130)
        for constant in constants {
            guard let number = Int32(constant.2), number < 134 else { continue }
            let alias = ["EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "ENOTSUP": "EOPNOTSUPP"][constant.1]
            #expect(Errno(rawValue: number).name == alias ?? String(constant.1))
        }
    }

    @Test("past the end a reader gives zeros, and never traps")
    func reader() {
        var reader = ByteReader([1, 2, 3])
        #expect(reader.take(UInt16.self) == 0x0201)
        #expect(reader.take(UInt32.self) == 3)
        #expect(reader.take(UInt64.self) == 0)
        #expect(reader.remaining == 0)
        #expect(reader.take(count: 5).isEmpty)
        var other = ByteReader([1], from: 7)
        #expect(other.take(Int64.self) == 0 && other.remaining == 0)
    }

    @Test("a writer and a reader agree on every width and sign")
    func writer() {
        var writer = ByteWriter()
        writer.put(UInt8(0xff))
        writer.put(Int16(-2))
        writer.put(Int32.min)
        writer.put(Int64.min)
        writer.put(UInt64.max)
        writer.pad(to: 32)
        #expect(writer.bytes.count == 32)
        var reader = ByteReader(writer.bytes)
        #expect(reader.take(UInt8.self) == 0xff && reader.take(Int16.self) == -2)
        #expect(reader.take(Int32.self) == .min && reader.take(Int64.self) == .min)
        #expect(reader.take(UInt64.self) == .max && reader.take(count: 99) == Array(repeating: 0, count: 9))
    }

    @Test("times saturate instead of overflowing")
    func times() {
        let now = MonotonicTime(nanoseconds: 5)
        #expect(now.advanced(by: Timestamp(seconds: 1, nanoseconds: 2)).nanoseconds == 1_000_000_007)
        #expect(now.advanced(by: Timestamp(seconds: .max, nanoseconds: 0)) == .never)
        #expect(now.advanced(by: Timestamp(seconds: 9_223_372_036, nanoseconds: 854_775_807)) == .never)
        #expect(now.interval(to: MonotonicTime(nanoseconds: 3)) == Timestamp())
        #expect(TimeValue(seconds: .max, microseconds: 0).nanoseconds == .max)
        #expect(!Timestamp(seconds: 0, nanoseconds: 1_000_000_000).isValidInterval)
        #expect(!TimeValue(seconds: 0, microseconds: -1).isValidInterval)
    }

    @Test("registers become arguments of their width")
    func registers() {
        var registers = ArgumentRegisters([UInt.max, 0xffff_ffff_0000_0003, 0, 7, 8, 9])
        #expect(registers.take(FileNumber.self) == FileNumber(-1))
        #expect(registers.take(Int32.self) == 3)
        #expect(registers.take(UserString.self).isNull)
        #expect(registers[5] == 9 && registers[6] == 0 && registers[-1] == 0)
        #expect(FileNumber(register: UInt(bitPattern: -100)).description == "AT_FDCWD")
        #expect(!SignalNumber(0).isValid && SignalNumber(64).isValid && !SignalNumber(65).isValid)
    }
}
