/// The floors of the architecture: which target may stand on which. This table is the architecture's word; `Package.swift`
/// and the imports are compared with it.
enum Floors {
    enum House: String {
        /// Becomes the process that runs guests: no Foundation, nothing of the toolkit.
        case sandbox
        /// The laboratory. Of the sandbox it knows only the floors in `shared`.
        case toolkit
        /// Writes the table of system calls; stands on nothing of the project.
        case generator
    }

    struct Floor {
        let name: String
        let house: House
        /// A target imports only what has a lower level.
        let level: Int
        /// Modules from outside the package.
        var outside: Set<String> = []
    }

    /// What the toolkit may import of the sandbox's house: descriptions and thin wrappers, never the kernel.
    static let shared: Set<String> = ["CHost", "LinuxABI", "HostSystem", "ELFImage", "TraceModel"]

    static let all: [Floor] = [
        Floor(name: "CHost", house: .sandbox, level: 0),
        Floor(name: "Stub", house: .sandbox, level: 0),
        Floor(name: "LinuxABI", house: .sandbox, level: 0),
        Floor(name: "HostSystem", house: .sandbox, level: 1),
        Floor(name: "GuestMemory", house: .sandbox, level: 1),
        Floor(name: "ELFImage", house: .sandbox, level: 1),
        Floor(name: "TraceModel", house: .sandbox, level: 1),
        Floor(name: "Platform", house: .sandbox, level: 2, outside: ["Synchronization"]),
        Floor(name: "VFS", house: .sandbox, level: 2),
        Floor(name: "TmpFS", house: .sandbox, level: 3),
        Floor(name: "HostFS", house: .sandbox, level: 4),
        Floor(name: "DevFS", house: .sandbox, level: 4),
        Floor(name: "ProcFS", house: .sandbox, level: 4),
        Floor(name: "OverlayFS", house: .sandbox, level: 5),
        Floor(name: "Kernel", house: .sandbox, level: 6),
        Floor(name: "Syscalls", house: .sandbox, level: 7),
        Floor(name: "Sandbox", house: .sandbox, level: 8),
        Floor(name: "apus-kernel", house: .sandbox, level: 9),

        Floor(name: "CElf", house: .toolkit, level: 0),
        Floor(name: "Inspect", house: .toolkit, level: 2, outside: ["Foundation", "Glibc"]),
        Floor(name: "Trace", house: .toolkit, level: 2, outside: ["Foundation"]),
        Floor(name: "Diff", house: .toolkit, level: 3, outside: ["Foundation"]),
        Floor(name: "Expect", house: .toolkit, level: 4, outside: ["Foundation", "Yams"]),
        Floor(
            name: "Corpus", house: .toolkit, level: 5, outside: ["Foundation", "Synchronization", "Yams", "Logging"]),
        Floor(name: "Bench", house: .toolkit, level: 6, outside: ["Foundation", "Synchronization"]),
        Floor(name: "Soak", house: .toolkit, level: 6, outside: ["Foundation"]),
        Floor(name: "Report", house: .toolkit, level: 7, outside: ["Foundation", "Mustache"]),
        Floor(
            name: "Commands", house: .toolkit, level: 8,
            outside: ["Foundation", "Dispatch", "Synchronization", "ArgumentParser", "Logging"]),
        Floor(name: "apus-toolkit", house: .toolkit, level: 9, outside: ["Foundation", "ArgumentParser"]),
        Floor(name: "apus", house: .toolkit, level: 9),

        Floor(name: "SyscallTableGenerator", house: .generator, level: 0, outside: ["Foundation"]),
        Floor(
            name: "syscall-table-generator", house: .generator, level: 1, outside: ["Foundation", "ArgumentParser"]),
    ]

    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// Why `upper` may not stand on `lower`; nil if it may. Names that are no target are modules from outside.
    static func objection(to upper: String, on lower: String) -> String? {
        guard let from = byName[upper] else { return "\(upper) is in no floor of the architecture" }
        guard let to = byName[lower] else {
            return from.outside.contains(lower) || lower == "Swift"
                ? nil : "\(upper) may not import \(lower) from outside the package"
        }
        if from.house != to.house, !(from.house == .toolkit && shared.contains(lower)) {
            return "\(upper) belongs to the \(from.house.rawValue), \(lower) to the \(to.house.rawValue)"
        }
        return to.level < from.level ? nil : "the edge from \(upper) to \(lower) does not go down"
    }
}
