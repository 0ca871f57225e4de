package import LinuxABI

/// The table of system calls with what the sandbox makes of each: what `apus syscalls` prints.
package struct SyscallListing: Sendable {
    /// What the sandbox does with a call.
    package enum Support: String, Codable, CaseIterable, Sendable {
        case full
        case partial
        /// Known, and answered with an error on purpose.
        case refused
        /// Linux has it, the sandbox does not.
        case missing
        /// Linux itself answers ENOSYS, and so does the sandbox.
        case absent
        /// Nobody could be asked, or the sandbox does not run programs of the architecture.
        case unknown
    }

    package struct Row: Codable, Equatable, Sendable {
        package struct Parameter: Codable, Equatable, Sendable {
            package var name: String
            package var type: String
            package var role: String
            package var direction: String
            package var flagSet: String?
        }

        package var number: Int
        package var name: String
        package var parameters: [Parameter]
        package var result: String
        package var isInLinux: Bool
        package var support: Support
        package var note: String

        /// `unsigned int fd, char *buf, size_t count`: as a C programmer reads it.
        package var signature: String {
            parameters.map { parameter in
                let type = parameter.type.split(separator: " ").filter { $0 != "__user" }.joined(separator: " ")
                return type + (type.hasSuffix("*") ? "" : " ") + parameter.name
            }.joined(separator: ", ")
        }
    }

    package let architecture: SyscallArchitecture
    package private(set) var rows: [Row]

    /// - Parameters:
    ///   - architecture: whose calls.
    ///   - statuses: what the sandbox says of a call, by number (`full`, `partial` or `refused`, and a note); nil if it
    ///     could not be asked. It speaks of x86-64.
    package init(
        _ architecture: SyscallArchitecture, statuses: [Int: (status: Support, note: String)]?
    ) {
        self.architecture = architecture
        let statuses = architecture == .x86_64 ? statuses : nil
        rows = SyscallTable.descriptions(for: architecture).map { call in
            let said = statuses?[call.number]
            let unsaid: Support = !call.isInLinux ? .absent : statuses == nil ? .unknown : .missing
            return Row(
                number: call.number, name: call.name,
                parameters: call.parameters.map {
                    Row.Parameter(
                        name: $0.name, type: $0.cType, role: $0.role.rawValue, direction: $0.direction.rawValue,
                        flagSet: $0.flagSet)
                }, result: call.result.rawValue, isInLinux: call.isInLinux, support: said?.status ?? unsaid,
                note: said?.note ?? "")
        }
    }

    /// Keeps the calls with one of these.
    package mutating func keep(_ wanted: Set<Support>) { rows.removeAll { !wanted.contains($0.support) } }

    /// `375 calls: 175 full, 22 partial, …`.
    package var summary: String {
        let counts = Support.allCases.compactMap { support -> String? in
            let count = rows.count { $0.support == support }
            return count == 0 ? nil : "\(count) \(support.rawValue)"
        }
        return "\(rows.count) calls" + (counts.isEmpty ? "" : ": ") + counts.joined(separator: ", ")
    }
}
