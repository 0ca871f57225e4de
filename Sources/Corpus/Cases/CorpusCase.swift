/// One case of the corpus: a C source with a manifest, or a command of installed packages.
package struct CorpusCase: Sendable, Hashable {
    /// What is run.
    package enum Subject: Sendable, Hashable {
        /// A C source, built in variants; the arguments follow its own name.
        case source(arguments: [String], variants: [BuildVariant], linkFlags: [String])
        /// A command, from these packages.
        case command([String], packages: [String])
    }

    /// `family/name`.
    package var id: String { "\(family)/\(name)" }
    package var family: String
    package var name: String
    /// The path of the file that describes it.
    package var file: String
    package var summary: String
    /// The calls under test.
    package var calls: [String] = []
    package var subject: Subject
    package var standardInput: [UInt8] = []
    package var environment: [EnvironmentEntry] = []
    package var files: [PlacedFile] = []
    /// What the host must offer.
    package var needs: [HostNeed] = []
    /// Seconds.
    package var timeout: Int

    package init(family: String, name: String, file: String, summary: String, subject: Subject, timeout: Int) {
        self.family = family
        self.name = name
        self.file = file
        self.summary = summary
        self.subject = subject
        self.timeout = timeout
    }
}

extension CorpusCase {
    /// The directories in which its program is looked for.
    var path: String { environment.last { $0.name == "PATH" }?.value ?? Stage.path }
}

/// `NAME=value` of a case's environment.
package struct EnvironmentEntry: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package var assignment: String { "\(name)=\(value)" }
}

/// A file that lies in a case's working directory when it starts.
package struct PlacedFile: Sendable, Hashable {
    /// Below the working directory.
    package var path: String
    package var mode: UInt32
    package var content: [UInt8]

    package init(path: String, mode: UInt32 = 0o644, content: [UInt8]) {
        self.path = path
        self.mode = mode
        self.content = content
    }

    /// Whether a path stays below the directory that it is taken from.
    static func staysBelow(_ path: String) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return !path.isEmpty && !parts.contains { $0.isEmpty || $0 == "." || $0 == ".." }
    }
}

/// How a C case is built.
package enum BuildVariant: String, Sendable, Hashable, CaseIterable, Codable {
    case glibcDynamic = "glibc-dynamic"
    case glibcStatic = "glibc-static"
    case muslStatic = "musl-static"
}
