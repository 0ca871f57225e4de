/// Seconds and microseconds: `struct timeval`, 16 bytes.
package struct TimeValue: GuestStructure, Hashable, Sendable {
    package var seconds: Int64
    package var microseconds: Int64

    package init(seconds: Int64 = 0, microseconds: Int64 = 0) {
        self.seconds = seconds
        self.microseconds = microseconds
    }

    /// Rounded down.
    package init(_ time: Timestamp) { self.init(seconds: time.seconds, microseconds: time.nanoseconds / 1000) }

    package init(nanoseconds: Int64) {
        self.init(seconds: nanoseconds / 1_000_000_000, microseconds: nanoseconds % 1_000_000_000 / 1000)
    }

    /// In nanoseconds, as far as 64 bits go.
    package var nanoseconds: Int64 {
        let (scaled, tooMany) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = scaled.addingReportingOverflow(microseconds &* 1000)
        return tooMany || overflow ? .max : sum
    }

    /// True if microseconds are in 0..<1_000_000 and seconds not negative.
    package var isValidInterval: Bool { seconds >= 0 && microseconds >= 0 && microseconds < 1_000_000 }

    package static var size: Int { 16 }

    package init(from reader: inout ByteReader) {
        seconds = reader.take()
        microseconds = reader.take()
    }

    package func encode(to writer: inout ByteWriter) {
        writer.put(seconds)
        writer.put(microseconds)
    }
}

/// An interval and a time, one structure after the other: `struct itimerval`, `struct itimerspec`, 32 bytes.
package struct TimerSetting<Time: GuestStructure & Sendable>: GuestStructure, Sendable {
    package var interval: Time
    package var value: Time

    package init(interval: Time, value: Time) {
        self.interval = interval
        self.value = value
    }

    package static var size: Int { 2 * Time.size }

    package init(from reader: inout ByteReader) {
        interval = Time(from: &reader)
        value = Time(from: &reader)
    }

    package func encode(to writer: inout ByteWriter) {
        interval.encode(to: &writer)
        value.encode(to: &writer)
    }
}

/// `struct sigevent`: 64 bytes, of which 20 mean something.
package struct SignalEvent: GuestStructure, Sendable {
    package static let signal: Int32 = 0
    package static let none: Int32 = 1
    package static let thread: Int32 = 2
    package static let threadID: Int32 = 4

    package var value: UInt64
    package var signalNumber: SignalNumber
    package var notification: Int32
    package var threadNumber: ProcessID

    package static var size: Int { 64 }

    package init(from reader: inout ByteReader) {
        value = reader.take()
        signalNumber = SignalNumber(reader.take(Int32.self))
        notification = reader.take()
        threadNumber = ProcessID(reader.take(Int32.self))
        reader.skip(44)
    }

    package func encode(to writer: inout ByteWriter) {
        writer.put(value)
        writer.put(signalNumber.rawValue)
        writer.put(notification)
        writer.put(threadNumber.rawValue)
        writer.pad(44)
    }
}

/// `struct tms` of `times(2)`, in ticks of 1/100 s: 32 bytes.
package struct ProcessTimes: GuestStructure, Sendable, Equatable {
    package var user: Int64
    package var system: Int64
    package var childrenUser: Int64
    package var childrenSystem: Int64

    package init(user: Int64, system: Int64, childrenUser: Int64, childrenSystem: Int64) {
        self.user = user
        self.system = system
        self.childrenUser = childrenUser
        self.childrenSystem = childrenSystem
    }

    package static var size: Int { 32 }

    package init(from reader: inout ByteReader) {
        user = reader.take()
        system = reader.take()
        childrenUser = reader.take()
        childrenSystem = reader.take()
    }

    package func encode(to writer: inout ByteWriter) {
        for value in [user, system, childrenUser, childrenSystem] { writer.put(value) }
    }
}

/// The state of the clock as `adjtimex(2)` reports it: `struct timex`, 208 bytes.
package struct ClockState: GuestStructure, Sendable {
    /// What the caller wants to change.
    package var modes: UInt32
    package var time = TimeValue()
    /// `STA_UNSYNC`: nobody disciplines the clock.
    package static let unsynchronized: Int32 = 0x40

    package init(time: TimeValue) {
        modes = 0
        self.time = time
    }

    package static var size: Int { 208 }

    package init(from reader: inout ByteReader) {
        modes = reader.take()
        reader.skip(204)
    }

    package func encode(to writer: inout ByteWriter) {
        let start = writer.bytes.count
        writer.put(modes)
        writer.pad(4)
        writer.put(Int64(0))  // offset
        writer.put(Int64(0))  // frequency
        writer.put(Int64(16_000_000))  // maximum error, µs
        writer.put(Int64(16_000_000))  // estimated error, µs
        writer.put(ClockState.unsynchronized)
        writer.pad(4)
        writer.put(Int64(2))  // time constant
        writer.put(Int64(1))  // precision, µs
        writer.put(Int64(32_768_000))  // tolerance
        time.encode(to: &writer)
        writer.put(Int64(10_000))  // µs between ticks
        writer.pad(to: start + ClockState.size)
    }
}
