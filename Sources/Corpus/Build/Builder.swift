internal import Foundation
internal import HostSystem
internal import LinuxABI
internal import TraceModel

/// Builds C cases with the host's compilers into `corpus/build/bin`, and only what has changed: next to each program
/// lies the digest of all that it was made from.
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
        var hash = ContentHash()
        for part in command + [compiler.version, headers] { hash.update(Array(part.utf8) + [0]) }
        hash.update(FileManager.default.contents(atPath: item.file) ?? Data())
        let digest = hash.hexadecimal
        let stamp = output + ".sha256"
        if FileManager.default.isExecutableFile(atPath: output),
            FileManager.default.contents(atPath: stamp) == Data(digest.utf8)
        {
            return .built(output)
        }
        return compile(command, output: output, stamp: stamp, digest: digest)
    }

    private func compile(_ command: [String], output: String, stamp: String, digest: String) -> Product {
        do {
            try? FileManager.default.removeItem(atPath: stamp)
            try paths.create((output as NSString).deletingLastPathComponent)
            let said = try HostProgram.run(command, seconds: 120)
            guard said.status.exitCode == 0 else {
                return .failed(said.timedOut ? "the compiler did not end within 120 s" : said.text)
            }
            try Data(digest.utf8).write(to: URL(fileURLWithPath: stamp))
            return .built(output)
        } catch {
            return .failed("\(error)")
        }
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
