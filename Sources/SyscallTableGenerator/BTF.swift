/// The types of a kernel, as its BTF describes them (`Documentation/bpf/btf.rst`).
///
/// Every offset and index comes from the file and is checked; a file that does not hold together is refused.
package struct BTF {
    private enum Kind {
        static let int = 1, pointer = 2, array = 3, structure = 4, union = 5, enumeration = 6, forward = 7
        static let typedef = 8, volatile = 9, constant = 10, restrict = 11, function = 12, prototype = 13
        static let variable = 14, section = 15, float = 16, declarationTag = 17, typeTag = 18, enumeration64 = 19
    }

    private struct Entry {
        let name: Int
        let kind: Int
        let count: Int
        /// A size or another type's number, depending on the kind.
        let value: Int
        /// Where what follows the fixed part starts.
        let details: Int
    }

    private let bytes: [UInt8]
    private let strings: Range<Int>
    /// By number; 0 is `void`.
    private var entries: [Entry] = [Entry(name: 0, kind: 0, count: 0, value: 0, details: 0)]
    private let file: String

    package init(_ bytes: [UInt8], file: String) throws(GeneratorError) {
        self.bytes = bytes
        self.file = file
        func word(_ offset: Int) throws(GeneratorError) -> Int {
            guard offset >= 0, offset + 4 <= bytes.count else {
                throw GeneratorError(file: file, reason: "ends at \(bytes.count), before \(offset + 4)")
            }
            return (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
        }
        guard bytes.count >= 24, bytes[0] == 0x9f, bytes[1] == 0xeb, bytes[2] == 1 else {
            throw GeneratorError(file: file, reason: "is no little-endian BTF of version 1")
        }
        let header = try word(4)
        let types = try header + word(8)..<header + word(8) + word(12)
        let names = try header + word(16)..<header + word(16) + word(20)
        guard types.upperBound <= bytes.count, names.upperBound <= bytes.count else {
            throw GeneratorError(file: file, reason: "its sections reach past its end")
        }
        strings = names
        var offset = types.lowerBound
        while offset < types.upperBound {
            let information = try word(offset + 4)
            let kind = information >> 24 & 0x1f
            let count = information & 0xffff
            guard let size = BTF.detailSize(kind, count) else {
                throw GeneratorError(file: file, reason: "type \(entries.count) is of the unknown kind \(kind)")
            }
            entries.append(
                Entry(
                    name: try word(offset), kind: kind, count: count, value: try word(offset + 8), details: offset + 12)
            )
            offset += 12 + size
        }
    }

    private static func detailSize(_ kind: Int, _ count: Int) -> Int? {
        switch kind {
        case Kind.int, Kind.variable, Kind.declarationTag: 4
        case Kind.array: 12
        case Kind.structure, Kind.union, Kind.section, Kind.enumeration64: 12 * count
        case Kind.enumeration, Kind.prototype: 8 * count
        case Kind.pointer, Kind.forward...Kind.function, Kind.float, Kind.typeTag: 0
        default: nil
        }
    }

    private func word(_ offset: Int) -> Int {
        guard offset >= 0, offset + 4 <= bytes.count else { return 0 }
        return (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    private func name(_ offset: Int) -> String {
        let start = strings.lowerBound + offset
        guard offset >= 0, start < strings.upperBound else { return "" }
        return String(decoding: bytes[start..<strings.upperBound].prefix { $0 != 0 }, as: UTF8.self)
    }

    private subscript(index: Int) -> Entry { index >= 0 && index < entries.count ? entries[index] : entries[0] }

    /// The bodies of system calls that the compiler kept apart (`__do_sys_read`), as signatures.
    package func signatures() -> [SignatureFact] {
        let prefix = "__do_sys_"
        var found: [String: SignatureFact] = [:]
        for entry in entries where entry.kind == Kind.function {
            let function = name(entry.name)
            let prototype = self[entry.value]
            guard function.hasPrefix(prefix), prototype.kind == Kind.prototype else { continue }
            let parameters = (0..<prototype.count).compactMap { index -> ParameterFact? in
                let name = name(word(prototype.details + 8 * index))
                // What SYSCALL_DEFINE0 makes of a call without parameters.
                if name == "__unused" { return nil }
                return ParameterFact(
                    type: spelling(word(prototype.details + 8 * index + 4), 0), name: name.isEmpty ? nil : name)
            }
            let call = "sys_" + function.dropFirst(prefix.count)
            found[call] = SignatureFact(entry: call, file: "btf", parameters: parameters)
        }
        return found.values.sorted { $0.entry < $1.entry }
    }

    /// The sizes of structures, unions and typedefs by C name; a name that stands for several sizes is left out.
    package func sizes(of wanted: Set<String>) -> [String: Int] {
        var sizes: [String: Set<Int>] = [:]
        for (index, entry) in entries.enumerated() {
            let cName: String
            switch entry.kind {
            case Kind.structure: cName = "struct " + name(entry.name)
            case Kind.union: cName = "union " + name(entry.name)
            case Kind.typedef: cName = name(entry.name)
            default: continue
            }
            if wanted.contains(cName), let size = size(index, 0) { sizes[cName, default: []].insert(size) }
        }
        return sizes.compactMapValues { $0.count == 1 ? $0.first : nil }
    }

    private func size(_ index: Int, _ depth: Int) -> Int? {
        let entry = self[index]
        // The chain of a sound file is short; one that runs in a circle ends here.
        guard depth < 32 else { return nil }
        switch entry.kind {
        case Kind.structure, Kind.union, Kind.int, Kind.enumeration, Kind.enumeration64, Kind.float:
            return entry.value
        case Kind.pointer: return 8
        case Kind.array:
            guard let element = size(word(entry.details), depth + 1) else { return nil }
            let (total, overflow) = element.multipliedReportingOverflow(by: word(entry.details + 8))
            return overflow ? nil : total
        case Kind.typedef...Kind.restrict, Kind.typeTag: return size(entry.value, depth + 1)
        default: return nil
        }
    }

    private func spelling(_ index: Int, _ depth: Int) -> String {
        let entry = self[index]
        guard depth < 32 else { return "?" }
        switch entry.kind {
        case 0: return "void"
        case Kind.structure: return "struct " + name(entry.name)
        case Kind.union: return "union " + name(entry.name)
        case Kind.enumeration, Kind.enumeration64: return "enum " + name(entry.name)
        case Kind.forward: return "struct " + name(entry.name)
        case Kind.pointer: return CType.spelled(spelling(entry.value, depth + 1) + " *")
        case Kind.constant:
            let inner = spelling(entry.value, depth + 1)
            return inner.hasSuffix("*") ? inner : "const " + inner
        case Kind.volatile, Kind.restrict: return spelling(entry.value, depth + 1)
        case Kind.typeTag: return spelling(entry.value, depth + 1) + " __" + name(entry.name)
        default: return name(entry.name)
        }
    }
}
