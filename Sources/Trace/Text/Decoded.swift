/// A value of a call, taken apart: what the text prints and what the differ compares.
package indirect enum Decoded: Hashable, Sendable {
    case scalar(String, ValueKind = .plain)
    /// Bytes of a buffer or string; `fullLength` is more than there are if the capture was cut.
    case bytes([UInt8], fullLength: UInt64, ValueKind = .plain)
    case structure([DecodedField])
    /// `isCut`: there were more elements.
    case list([Decoded], isCut: Bool)

    static func field(_ name: String, _ value: Decoded) -> DecodedField { DecodedField(name: name, value: value) }
    static func number(_ value: some BinaryInteger, _ kind: ValueKind = .plain) -> Decoded { .scalar("\(value)", kind) }

    static func hex(_ value: UInt64, _ kind: ValueKind = .plain) -> Decoded {
        .scalar(FlagSet.hexadecimal(value), kind)
    }

    static func address(_ value: UInt64) -> Decoded {
        .scalar(value == 0 ? "NULL" : "0x" + String(value, radix: 16), .address(value))
    }

    static func descriptor(_ value: Int32) -> Decoded {
        .scalar(value == -100 ? "AT_FDCWD" : "\(value)", .descriptor(value))
    }

    static func process(_ value: Int32) -> Decoded { .scalar("\(value)", .process(value)) }
    static func flags(_ set: String, _ value: UInt64) -> Decoded { .scalar(FlagLists.text(set, value)) }
    static func signal(_ number: Int32) -> Decoded { .scalar(SignalText.name(number)) }

    static func octal(_ value: UInt64) -> Decoded { .scalar(value == 0 ? "0" : "0" + String(value, radix: 8)) }
}

/// One named value of a structure.
package struct DecodedField: Hashable, Sendable {
    package let name: String
    package let value: Decoded

    /// The same field with another value.
    package func map(_ change: (Decoded) -> Decoded) -> DecodedField { DecodedField(name: name, value: change(value)) }
}

/// What of a value may rightly differ from run to run; the differ gives it a symbol instead.
package enum ValueKind: Hashable, Sendable {
    case plain
    case address(UInt64)
    case process(Int32)
    case descriptor(Int32)
    case inode
    case device
    case time
    case random
    /// How much of something the host has or the process has used.
    case usage
    /// Says nothing of its own: nobody looks at it, or it follows from what stands beside it.
    case idle
}

/// A call taken apart.
package struct DecodedCall: Sendable {
    package var name: String
    package var arguments: [DecodedArgument]
    /// Nil while the call has not returned.
    package var result: DecodedResult?
}

/// One parameter of a call: what was given, and what came back behind it.
package struct DecodedArgument: Sendable {
    package var name: String
    package var value: Decoded
    package var output: Decoded?
}

/// What a call returned.
package struct DecodedResult: Sendable {
    package var value: Decoded
    /// The error's name; nil if the call succeeded.
    package var error: String?
    /// What the error says.
    package var sentence: String?
}
