package import Foundation

/// Reads how a running kernel declares its system calls: `events/syscalls/sys_enter_*/format` below tracefs.
package enum TracefsParser {
    /// The signature in one `format` file.
    package static func signature(_ text: String, file: String) throws(GeneratorError) -> SignatureFact {
        var entry: String?
        var parameters: [ParameterFact] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("name: sys_enter_") {
                entry = "sys_" + line.dropFirst("name: sys_enter_".count)
            }
            let content = line.drop { $0 == "\t" || $0 == " " }
            guard content.hasPrefix("field:") else { continue }
            guard let end = content.firstIndex(of: ";") else {
                throw GeneratorError(file: file, line: index + 1, reason: "a field never ends")
            }
            let field = CDeclarations.declaration(String(content[..<end].dropFirst("field:".count)))
            // `common_*` and `__*` are the event's own.
            guard let field, let name = field.name, !name.hasPrefix("common_"), !name.hasPrefix("__") else { continue }
            parameters.append(field)
        }
        guard let entry else { throw GeneratorError(file: file, reason: "names no sys_enter_ event") }
        return SignatureFact(entry: entry, file: "events/syscalls", parameters: parameters)
    }

    /// Every system call that a mounted tracefs shows; nil if it shows none.
    package static func signatures(below mount: URL) throws -> [SignatureFact]? {
        let events = mount.appendingPathComponent("events/syscalls")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: events.path)) ?? []
        let calls = names.filter { $0.hasPrefix("sys_enter_") }.sorted()
        if calls.isEmpty { return nil }
        return try calls.map { name in
            let data = try Data(contentsOf: events.appendingPathComponent("\(name)/format"))
            return try signature(String(decoding: data, as: UTF8.self), file: "\(name)/format")
        }
    }
}
