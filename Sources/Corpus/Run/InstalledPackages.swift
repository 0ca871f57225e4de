internal import Foundation

/// Which Debian packages the host has.
package struct InstalledPackages: Sendable {
    /// Nil if the host has no package database.
    private let names: Set<String>?

    package init(names: Set<String>?) { self.names = names }

    /// Asks dpkg once.
    package static func query() -> InstalledPackages {
        guard let tool = HostProgram.find("dpkg-query"),
            let text = try? HostProgram.output(of: [tool, "-W", "-f", "${db:Status-Status} ${Package}\\n"])
        else { return InstalledPackages(names: nil) }
        return InstalledPackages(
            names: Set(
                text.split(separator: "\n").filter { $0.hasPrefix("installed ") }.map { String($0.dropFirst(10)) }))
    }

    /// Why a case that needs these packages can't run; nil if it can. Without a database it is tried.
    package func missing(_ wanted: [String]) -> String? {
        guard let names else { return nil }
        let missing = wanted.filter { !names.contains($0) }
        return missing.isEmpty
            ? nil : "needs \(missing.joined(separator: ", ")) (apt-get install \(missing.joined(separator: " ")))"
    }
}
