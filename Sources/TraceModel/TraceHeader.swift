/// What a trace says of itself before its first event.
///
/// ```
/// 'A' 'p' 'T' 'r'   version   architecture   subject   0
/// ```
package struct TraceHeader: Hashable, Sendable {
    /// The version that this code writes, and the newest that it reads.
    package static let currentVersion: UInt8 = 1
    package static let encodedSize = 8
    static let magic: InlineArray<4, UInt8> = [0x41, 0x70, 0x54, 0x72]

    package var version: UInt8
    package var architecture: TraceArchitecture
    package var subject: TraceSubject

    package init(
        version: UInt8 = TraceHeader.currentVersion, architecture: TraceArchitecture = .x86_64, subject: TraceSubject
    ) {
        self.version = version
        self.architecture = architecture
        self.subject = subject
    }
}

/// Whose numbers the events hold. The raw values are those of the format.
package enum TraceArchitecture: UInt8, Sendable, CaseIterable {
    case x86_64 = 1
    case aarch64 = 2
    case riscv64 = 3
}

/// Who ran the program.
package enum TraceSubject: UInt8, Sendable, CaseIterable {
    case native = 0
    case sandbox = 1
}

/// What is wrong with an encoded trace. Offsets are bytes from its start.
package enum TraceFormatError: Error, Hashable, Sendable {
    case notATrace
    case unsupportedVersion(UInt8)
    case unknownArchitecture(UInt8)
    case unknownSubject(UInt8)
    /// The input ends inside a record, or without the end record.
    case truncated(offset: UInt64)
    case recordTooLong(offset: UInt64, length: UInt64)
    case malformedRecord(offset: UInt64)
    /// The end record counts other than what was read.
    case wrongCount(expected: UInt64, found: UInt64)
    case trailingBytes(offset: UInt64)
}

extension TraceFormatError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notATrace: "not a trace: the first bytes are not 'ApTr'"
        case .unsupportedVersion(let version):
            "a trace of version \(version); this program reads up to \(TraceHeader.currentVersion)"
        case .unknownArchitecture(let value): "a trace of an unknown architecture (\(value))"
        case .unknownSubject(let value): "a trace of an unknown subject (\(value))"
        case .truncated(let offset): "the trace is cut off at byte \(offset)"
        case .recordTooLong(let offset, let length):
            "the record at byte \(offset) claims \(length) bytes, more than the \(TraceDecoder.maximumRecord) allowed"
        case .malformedRecord(let offset): "the record at byte \(offset) is malformed"
        case .wrongCount(let expected, let found):
            "the trace ends after \(found) events, but says that there were \(expected)"
        case .trailingBytes(let offset): "bytes follow the trace's end at byte \(offset)"
        }
    }
}
