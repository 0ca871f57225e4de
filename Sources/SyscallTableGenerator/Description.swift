/// A value and where it comes from.
package struct Sourced<Value: Equatable & Sendable>: Equatable, Sendable {
    package let value: Value
    package let source: Source

    package init(_ value: Value, _ source: Source) {
        self.value = value
        self.source = source
    }
}

/// The one description of a system call on an architecture, each field with its source.
package struct CallDescription: Equatable, Sendable {
    package let architecture: Architecture
    package let number: Int
    package let abi: String
    package let name: String
    package let entry: String?
    package let isInLinux: Bool
    /// Why not, if it isn't.
    package let absence: String?
    package let parameters: [ParameterDescription]
    package let result: Sourced<String>
}

package struct ParameterDescription: Equatable, Sendable {
    package let name: Sourced<String>
    package let cType: Sourced<String>
    package let swiftType: Sourced<String>
    package let role: Sourced<String>
    package let direction: Sourced<String>
    package let extent: Sourced<ExtentDescription>
    package let flagSet: Sourced<String>?
}

/// An extent with the parameter by its index.
package enum ExtentDescription: Equatable, Sendable {
    case none
    case fixed(Int)
    case bytes(Int)
    case array(Int, Int)
    case string
    case stringVector
    case ioVector(Int)
    case messageHeader
    case resultBytes(Int)
    case resultArray(Int, Int)
    case bits(Int)
    case pages(Int)

    /// The code that the generated table uses: a letter and numbers.
    package var code: String {
        switch self {
        case .none: "-"
        case .fixed(let size): "f\(size)"
        case .bytes(let index): "b\(index)"
        case .array(let element, let index): "a\(element).\(index)"
        case .string: "s"
        case .stringVector: "v"
        case .ioVector(let index): "i\(index)"
        case .messageHeader: "m"
        case .resultBytes(let index): "r\(index)"
        case .resultArray(let element, let index): "e\(element).\(index)"
        case .bits(let index): "w\(index)"
        case .pages(let index): "p\(index)"
        }
    }

    /// For people: `count bytes`, `nfds elements of 8 bytes`.
    package func words(_ name: (Int) -> String) -> String {
        switch self {
        case .none: "unknown"
        case .fixed(let size): "\(size) bytes"
        case .bytes(let index): "\(name(index)) bytes"
        case .array(let element, let index): "\(name(index)) elements of \(element) bytes"
        case .string: "NUL-terminated"
        case .stringVector: "NULL-terminated vector of strings"
        case .ioVector(let index): "\(name(index)) iovecs"
        case .messageHeader: "msghdr"
        case .resultBytes(let index): "result bytes, at most \(name(index))"
        case .resultArray(let element, let index): "result elements of \(element) bytes, at most \(name(index))"
        case .bits(let index): "\(name(index)) bits in words of 8 bytes"
        case .pages(let index): "a byte for each page of \(name(index)) bytes"
        }
    }
}

/// Two sources that say different things of one field.
package struct Disagreement: Equatable, Sendable {
    package let entry: String
    package var architectures: [Architecture]
    /// What they differ in: `parameter count`, `name of parameter 1`, `type of parameter 1`.
    package let field: String
    /// True if the values mean the same to the calling convention (`unsigned` and `u32`, a renamed parameter).
    package let isSpelling: Bool
    package let values: [Sourced<String>]
    /// Whose value stands in the table.
    package let settledBy: Source
}

/// All that the generator knows: what `data/syscalls.json` holds.
package struct Table: Equatable, Sendable {
    package let versions: [Source: String]
    package let calls: [CallDescription]
    package let disagreements: [Disagreement]
    /// Pointers of which neither a source nor the overlay tells the direction.
    package let gaps: [String]
}
