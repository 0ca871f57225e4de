import Testing

@Suite("Floors")
struct EdgeTests {
    @Test("every target of the package has its floor, and every floor its target")
    func complete() throws {
        let declared = Set(PackageManifest(text: try Repository.text(of: "Package.swift")).dependencies.keys)
        #expect(declared == Set(Floors.byName.keys))
    }

    @Test("every import goes down, stays in its house, and is declared in Package.swift")
    func imports() throws {
        let manifest = PackageManifest(text: try Repository.text(of: "Package.swift"))
        var objections: [String] = []
        for file in try Repository.swiftFiles(below: "Sources") {
            for module in Set(file.imports) {
                if let objection = Floors.objection(to: file.target, on: module) {
                    objections.append("\(file): \(objection)")
                }
                let isInToolchain = ["Dispatch", "Foundation", "Glibc", "Synchronization"].contains(module)
                if !isInToolchain, manifest.dependencies[file.target]?.contains(module) != true {
                    objections.append("\(file): imports \(module), which Package.swift does not declare")
                }
            }
        }
        #expect(objections.isEmpty, "\(objections.joined(separator: "\n"))")
    }

    @Test("every dependency in Package.swift goes down, too")
    func dependencies() throws {
        let manifest = PackageManifest(text: try Repository.text(of: "Package.swift"))
        for (target, names) in manifest.dependencies {
            for name in names where Floors.byName[name] != nil {
                let objection = Floors.objection(to: target, on: name)
                #expect(objection == nil, "\(objection ?? "")")
            }
        }
    }

    @Test(
        "an edge that runs upwards, crosses houses or reaches outside is refused",
        arguments: [
            ("VFS", "Kernel"), ("Kernel", "Kernel"), ("Trace", "Kernel"), ("Diff", "Syscalls"), ("Kernel", "Trace"),
            ("Kernel", "Foundation"), ("VFS", "Glibc"), ("SyscallTableGenerator", "LinuxABI"), ("Nobody", "LinuxABI"),
        ])
    func refused(upper: String, lower: String) {
        #expect(Floors.objection(to: upper, on: lower) != nil)
    }

    @Test("imports are recognised in all their forms, and not in comments or strings")
    func recognition() {
        let file = SourceFile(
            path: "Sources/X/x.swift",
            text: """
                internal import Kernel
                @preconcurrency package import VFS
                import struct Foundation.URL
                // import Comment
                /* import Block
                 */ let text = "import Literal"
                  @_implementationOnly import Hidden
                """)
        #expect(file.imports == ["Kernel", "VFS", "Foundation", "Hidden"])
    }
}
