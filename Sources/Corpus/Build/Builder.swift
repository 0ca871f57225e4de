internal import Foundation
internal import HostSystem
internal import LinuxABI

/// Builds C cases with the host's compilers into `corpus/build/bin`, and only what has changed (`Compilation`).
package struct Builder: Sendable {
    private let paths: CorpusPaths
    /// A digest of the headers that every case may include.
    private let headers: String
    private let compilers: [BuildVariant: Compiler]

    /// A program ready to run, or why there is none.
    package enum Product: Sendable, Hashable {
        case built(String)
        /// The host lacks the compiler.
        case missing(String)
        /// What the compiler said.
        case failed(String)
    }

    private struct Compiler: Sendable {
        let path: String
        let version: String
    }

    /// Looks for the compilers. Throws if the build directory can't be made.
    package init(paths: CorpusPaths) throws(CorpusError) {
        self.paths = paths
        try paths.create(paths.binaries)
        var hash = ContentHash()
        let manager = FileManager.default
        let names = (try? manager.contentsOfDirectory(atPath: paths.include)) ?? []
        for name in names.sorted() {
            hash.update(name.utf8)
            hash.update(manager.contents(atPath: "\(paths.include)/\(name)") ?? Data())
        }
        headers = hash.hexadecimal
        var compilers: [BuildVariant: Compiler] = [:]
        for variant in BuildVariant.allCases {
            guard let path = HostProgram.find(variant.compiler) else { continue }
            let version = try? HostProgram.output(of: [path, "--version"])
            compilers[variant] = Compiler(path: path, version: version ?? "")
        }
        self.compilers = compilers
        if compilers[.muslStatic] != nil { try linkKernelHeaders() }
    }

    /// Builds one variant of a C case, unless it is up to date.
    package func build(_ item: CorpusCase, _ variant: BuildVariant, linkFlags: [String]) -> Product {
        guard let compiler = compilers[variant] else {
            return .missing("needs \(variant.compiler) (apt-get install \(variant.package))")
        }
        let output = "\(paths.binaries)/\(item.family)/\(item.name).\(variant.rawValue)"
        let command =
            [compiler.path, "-O1", "-g", "-std=gnu17", "-pthread", "-I\(paths.include)"]
            + variant.flags(kernelHeaders: paths.kernelHeaders) + ["-o", output, item.file] + linkFlags
        return Compilation(
            command, output: output, version: compiler.version, headers: headers, sources: [item.file]
        ).run()
    }

    /// musl's own include directory lacks the kernel's headers, and the whole of /usr/include would bring glibc's along:
    /// so the kernel's three directories alone are made visible.
    private func linkKernelHeaders() throws(CorpusError) {
        try paths.create(paths.kernelHeaders)
        let manager = FileManager.default
        for (name, candidates) in [
            ("linux", ["/usr/include/linux"]), ("asm-generic", ["/usr/include/asm-generic"]),
            ("asm", ["/usr/include/x86_64-linux-gnu/asm", "/usr/include/asm"]),
        ] {
            let link = "\(paths.kernelHeaders)/\(name)"
            guard let target = candidates.first(where: manager.fileExists(atPath:)),
                (try? manager.destinationOfSymbolicLink(atPath: link)) != target
            else { continue }
            do {
                try? manager.removeItem(atPath: link)
                try manager.createSymbolicLink(atPath: link, withDestinationPath: target)
            } catch {
                throw CorpusError(.build, link, "cannot be made: \(error)", remedy: "check the directory's permissions")
            }
        }
    }
}

extension BuildVariant {
    var compiler: String { self == .muslStatic ? "musl-gcc" : "gcc" }

    /// The Debian package that brings the compiler.
    var package: String { self == .muslStatic ? "musl-tools" : "gcc libc6-dev" }

    func flags(kernelHeaders: String) -> [String] {
        switch self {
        case .glibcDynamic: []
        case .glibcStatic: ["-static"]
        case .muslStatic: ["-static", "-idirafter", kernelHeaders]
        }
    }
}
