/// The architectures that the table describes.
package enum Architecture: String, CaseIterable, Sendable, Comparable {
    case x86_64
    case aarch64
    case riscv64

    /// The folder below `arch/` in the kernel's source.
    package var sourceFolder: String {
        switch self {
        case .x86_64: "x86"
        case .aarch64: "arm64"
        case .riscv64: "riscv"
        }
    }

    package static func < (left: Architecture, right: Architecture) -> Bool { left.order < right.order }

    private var order: Int { Architecture.allCases.firstIndex(of: self) ?? 0 }
}

/// A source of facts, in the order in which they are believed: what the compiler sees before what is written for
/// information, and the chosen kernel's source before whatever kernel the extracting host ran.
package enum Source: String, CaseIterable, Sendable {
    /// Hand-written: says what no source says, or settles a disagreement.
    case overlay
    /// The table of numbers and entry points (`syscall_64.tbl`, `scripts/syscall.tbl`).
    case table
    /// The `SYSCALL_DEFINEn` of the implementation.
    case definition
    /// The prototype in `include/linux/syscalls.h`.
    case prototype
    /// `events/syscalls/sys_enter_*/format` of a running kernel.
    case tracefs
    /// The types of a running kernel (`/sys/kernel/btf/vmlinux`).
    case btf
    /// Follows from the C type (a `const` pointer goes in; an integer is no pointer).
    case type
}

/// One row of a table of system call numbers, as it holds for an architecture.
package struct NumberFact: Equatable, Sendable {
    package let architecture: Architecture
    package let number: Int
    package let abi: String
    package let name: String
    /// The kernel's function (`sys_read`); nil if the row names none.
    package let entry: String?

    package init(architecture: Architecture, number: Int, abi: String, name: String, entry: String?) {
        self.architecture = architecture
        self.number = number
        self.abi = abi
        self.name = name
        self.entry = entry
    }
}

/// One parameter, as a source declares it.
package struct ParameterFact: Hashable, Sendable {
    package let type: String
    /// Nil where the source leaves it out.
    package let name: String?

    package init(type: String, name: String?) {
        self.type = type
        self.name = name
    }
}

/// One declaration of a system call's function.
package struct SignatureFact: Hashable, Sendable {
    /// `sys_read`.
    package let entry: String
    /// The file that says so, below the root of its source.
    package let file: String
    package let parameters: [ParameterFact]

    package init(entry: String, file: String, parameters: [ParameterFact]) {
        self.entry = entry
        self.file = file
        self.parameters = parameters
    }

    /// A total order, so that extracting twice gives the same file.
    var order: String { "\(entry) \(file) " + parameters.map { "\($0.type)|\($0.name ?? "")" }.joined(separator: "\t") }

    /// Whether the declaration holds for an architecture: one below `arch/` holds for its own only.
    package func holds(for architecture: Architecture) -> Bool {
        guard file.hasPrefix("arch/") else { return true }
        return file.hasPrefix("arch/\(architecture.sourceFolder)/") && !file.hasPrefix("arch/x86/um/")
    }
}

/// Everything that was read from sources; `data/sources/` holds it between extraction and generation.
package struct Facts: Equatable, Sendable {
    /// By source: which version it was ("Linux 6.12.117").
    package var versions: [Source: String] = [:]
    package var numbers: [NumberFact] = []
    package var signatures: [Source: [SignatureFact]] = [:]
    /// Sizes in bytes of structures on x86-64, by C name (`struct stat`), from BTF.
    package var structureSizes: [String: Int] = [:]

    package init() {}
}

extension Facts {
    /// Takes what a running kernel's BTF says of the calls, and of the structures that they point at.
    package mutating func add(_ btf: BTF, release: String) {
        signatures[.btf] = btf.signatures()
        versions[.btf] = release
        let declared = (signatures[.definition] ?? []) + (signatures[.prototype] ?? [])
        structureSizes = btf.sizes(of: Set(declared.flatMap(\.parameters).compactMap { CType.pointee($0.type) }))
    }
}
