internal import Corpus
internal import Foundation
internal import HostSystem
internal import TraceModel

/// The guests, built static, with the folders that a soak works in.
struct Workshop {
    /// What is no adversary by itself.
    static let helpers: Set = ["pulse", "canary"]
    /// What tests talk to by files.
    private static let others: Set = ["leaks", "strays"]

    let folder: URL
    let names: [String]
    /// The sandbox, by a name that no other process on the host has.
    let kernel: String
    /// A root with nothing in it but the guests and what they look for.
    let stage: URL

    init(sources: String, kernel: String, only: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-soak-\(UUID().uuidString)")
        stage = folder.appendingPathComponent("stage")
        self.kernel = folder.appendingPathComponent("apus-kernel").path
        let files = FileManager.default
        for name in ["bin", "stage/bin", "stage/etc", "stage/tmp", "stage/guests", "inside", "outside"] {
            try files.createDirectory(at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        try files.copyItem(atPath: kernel, toPath: self.kernel)
        guard let compiler = HostProgram.find("cc") ?? HostProgram.find("gcc") else {
            throw SoakError("no C compiler for the guests: install gcc and libc6-dev")
        }
        let found = try files.contentsOfDirectory(atPath: sources).filter { $0.hasSuffix(".c") }
            .map { String($0.dropLast(2)) }.filter { !Workshop.others.contains($0) }.sorted()
        let adversaries = found.filter { !Workshop.helpers.contains($0) && (only.isEmpty || only.contains($0)) }
        if let unknown = only.first(where: { !adversaries.contains($0) }) {
            throw SoakError("there is no guest \(unknown) in \(sources)")
        }
        names = adversaries
        for name in adversaries + Workshop.helpers {
            let built = try HostProgram.run(
                [
                    compiler, "-O1", "-w", "-static", "-pthread", "-D_GNU_SOURCE", "-o", program(name),
                    "\(sources)/\(name).c",
                ], seconds: 120)
            guard built.status.exitCode == 0 else { throw SoakError("\(name).c does not compile:\n\(built.text)") }
            try files.copyItem(atPath: program(name), toPath: stage.appendingPathComponent("guests/\(name)").path)
        }
        let nothing = folder.appendingPathComponent("true.c")
        try Data("int main(void) { return 0; }\n".utf8).write(to: nothing)
        _ = try HostProgram.run(
            [compiler, "-static", "-o", stage.appendingPathComponent("bin/true").path, nothing.path], seconds: 60)
        try Data("root:x:0:0:root:/root:/bin/sh\n".utf8).write(to: stage.appendingPathComponent("etc/passwd"))
    }

    func program(_ name: String) -> String { folder.appendingPathComponent("bin/\(name)").path }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}

/// Why a soak cannot go on.
package struct SoakError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
