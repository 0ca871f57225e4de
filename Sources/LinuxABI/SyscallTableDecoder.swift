/// Reads the generated lines of the table, one call a line:
///
///     number,name,result,L|N;name,C type,role,direction,extent,flag set;…
///
/// `L` is in Linux, `N` is not. An extent is a letter and numbers (`r2`: as many bytes as the result says, at most
/// parameter 2); `-` stands for none. The generator's tests hold both ends to each other.
struct SyscallTableDecoder {
    private let bytes: [UInt8]
    private var position = 0
    /// Types, names and flag sets repeat: each becomes one string.
    private var strings: [UInt64: String] = [:]

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The next call; nil at the end.
    mutating func next() -> SyscallDescription? {
        guard position < bytes.count else { return nil }
        let number = integer()
        let name = string()
        let result = ResultMeaning(rawValue: string()) ?? .value
        let isInLinux = string() == "L"
        var parameters: [ParameterDescription] = []
        while separator() == UInt8(ascii: ";") {
            let name = string()
            let type = string()
            let role = ValueRole(rawValue: string()) ?? .integer
            let direction = Direction(rawValue: string()) ?? .value
            let extent = extent()
            let flagSet = string()
            parameters.append(
                ParameterDescription(
                    name: name, cType: type, role: role, direction: direction, extent: extent,
                    flagSet: flagSet == "-" ? nil : flagSet))
        }
        return SyscallDescription(
            number: number, name: name, parameters: parameters, result: result, isInLinux: isInLinux)
    }

    /// What the next call's line says of the bytes behind its pointers; nil at the end. No string is made for it.
    mutating func nextExtents() -> CallExtents? {
        guard position < bytes.count else { return nil }
        var call = CallExtents(number: integer(), parameters: [])
        skip(fields: 3)
        while separator() == UInt8(ascii: ";") {
            skip(fields: 3)
            let start = position < bytes.count ? bytes[position] : 0
            skip(fields: 1)
            let direction: Direction =
                switch start {
                case UInt8(ascii: "i"): .in
                case UInt8(ascii: "o"): .out
                case UInt8(ascii: "b"): .both
                default: .value
                }
            call.parameters.append((direction, extent()))
            skip(fields: 1)
        }
        return call
    }

    private mutating func skip(fields: Int) {
        for _ in 0..<fields {
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\n") { break }
            }
        }
    }

    /// What ended the last field.
    private func separator() -> UInt8 {
        position > 0 && position <= bytes.count ? bytes[position - 1] : UInt8(ascii: "\n")
    }

    private mutating func string() -> String {
        let start = position
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\n") { break }
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            position += 1
        }
        let field = bytes[start..<position]
        position += 1
        if field.count <= 15 { return String(decoding: field, as: UTF8.self) }
        if let known = strings[hash], known.utf8.elementsEqual(field) { return known }
        let new = String(decoding: field, as: UTF8.self)
        strings[hash] = new
        return new
    }

    private mutating func integer() -> Int {
        let value = digits()
        position += 1
        return value
    }

    private mutating func digits() -> Int {
        var value = 0
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            value = value &* 10 &+ Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
        }
        return value
    }

    private mutating func extent() -> Extent {
        guard position < bytes.count else { return .none }
        let kind = bytes[position]
        position += 1
        let first = digits()
        var second = 0
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            second = digits()
        }
        position += 1
        return switch kind {
        case UInt8(ascii: "f"): .fixed(first)
        case UInt8(ascii: "b"): .bytes(parameter: first)
        case UInt8(ascii: "a"): .array(element: first, parameter: second)
        case UInt8(ascii: "s"): .string
        case UInt8(ascii: "v"): .stringVector
        case UInt8(ascii: "i"): .ioVector(parameter: first)
        case UInt8(ascii: "m"): .messageHeader
        case UInt8(ascii: "r"): .resultBytes(parameter: first)
        case UInt8(ascii: "e"): .resultArray(element: first, parameter: second)
        case UInt8(ascii: "w"): .bits(parameter: first)
        case UInt8(ascii: "p"): .pages(parameter: first)
        default: .none
        }
    }
}
