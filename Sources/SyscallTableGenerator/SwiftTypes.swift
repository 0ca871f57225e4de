/// The Swift types of C types on LP64.
enum SwiftTypes {
    /// The type of a register that holds a C integer; nil if the C type is unknown.
    static func value(of type: String) -> String? {
        switch CType.canonical(type) {
        case "int": "Int32"
        case "unsigned int": "UInt32"
        case "unsigned short": type == "umode_t" ? "FileMode" : "UInt32"
        case "long", "long long": "Int"
        case "unsigned long", "unsigned long long", "__sighandler_t": "UInt"
        case "enum landlock_rule_type": "UInt32"
        default: nil
        }
    }

    static func integerSize(_ type: String) -> Int? {
        switch CType.canonical(type) {
        case "char", "unsigned char": 1
        case "short", "unsigned short": 2
        case "int", "unsigned int": 4
        case "long", "unsigned long", "long long", "unsigned long long": 8
        case let other where other.hasSuffix("*"): 8
        default: nil
        }
    }

    static func pointer(to pointee: String, extent: ExtentDescription, layouts: [String: String]) -> String {
        if let layout = layouts[pointee] { return "UserPointer<\(layout)>" }
        if pointee.hasSuffix("*") {
            return extent == .stringVector ? "UserPointer<UserString>" : "UserPointer<UInt>"
        }
        switch CType.canonical(pointee) {
        case "char", "unsigned char", "void":
            switch extent {
            case .string: return "UserString"
            case .none: return "UserPointer<Opaque>"
            default: return "UserPointer<UInt8>"
            }
        case "int": return "UserPointer<Int32>"
        case "unsigned int": return "UserPointer<UInt32>"
        case "unsigned short": return "UserPointer<UInt16>"
        case "long", "long long": return "UserPointer<Int>"
        case "unsigned long", "unsigned long long": return "UserPointer<UInt>"
        default: return "UserPointer<Opaque>"
        }
    }
}
