// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Every Swift target of the project is compiled like this.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

/// The targets that no process but the sandbox's kernel has.
let kernels: Set = [
    "GuestMemory", "Platform", "VFS", "TmpFS", "HostFS", "OverlayFS", "DevFS", "ProcFS", "Kernel", "Syscalls",
    "Sandbox",
]

/// The settings of a target.
///
/// The floors are small modules that call each other all the time. The usual optimisation across modules leaves out what is
/// only `package`, so that even a look into an option set of another module ends in a table of witnesses: the module of all
/// small values gives away everything. Modules of classes do not: their accessors, moved elsewhere, would be watched at run
/// time for overlapping access, which the compiler proves away where it sees every use.
///
/// What only the sandbox has belongs to one thread (`docs/architecture.md`): counting references needs no atomic operations
/// there. Tests, which run on many threads, are built in debug, and count as ever.
func settings(of name: String) -> [SwiftSetting] {
    let across = name == "LinuxABI" ? "-enable-cmo-everything" : "-cross-module-optimization"
    let alone = kernels.contains(name) ? ["-Xfrontend", "-assume-single-threaded"] : []
    return strict + [.unsafeFlags([across] + alone, .when(configuration: .release))]
}

/// The guest stub: code that runs inside the guest's address space, where there is no C library, no TLS and no
/// vector register to spare.
let freestanding: [CSetting] = [
    .unsafeFlags([
        "-O2", "-ffreestanding", "-fno-builtin", "-fPIC", "-mgeneral-regs-only", "-mfsgsbase", "-mno-red-zone",
        "-fno-stack-protector", "-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-fno-jump-tables",
        "-fvisibility=hidden", "-fomit-frame-pointer", "-fno-stack-check", "-fno-sanitize=all",
    ])
]

/// A Swift target with the project's settings. `below` names the floors it stands on.
func floor(_ name: String, on below: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: below, swiftSettings: settings(of: name))
}

func tests(of name: String, with more: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: [.byName(name: name)] + more, swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")

let sandbox: [Target] = [
    .target(name: "CHost"),
    .target(name: "Stub", cSettings: freestanding),
    floor("LinuxABI"),
    floor("HostSystem", on: ["CHost", "LinuxABI"]),
    floor("GuestMemory", on: ["LinuxABI"]),
    floor("ELFImage", on: ["LinuxABI"]),
    floor("Platform", on: ["Stub", "HostSystem", "GuestMemory", "LinuxABI"]),
    floor("VFS", on: ["HostSystem", "LinuxABI"]),
    floor("TmpFS", on: ["VFS", "HostSystem", "LinuxABI"]),
    floor("HostFS", on: ["TmpFS", "VFS", "HostSystem", "LinuxABI"]),
    floor("OverlayFS", on: ["TmpFS", "HostFS", "VFS", "LinuxABI"]),
    floor("DevFS", on: ["VFS", "TmpFS", "HostSystem", "LinuxABI"]),
    floor("ProcFS", on: ["VFS", "HostSystem", "LinuxABI"]),
    floor("TraceModel", on: ["LinuxABI"]),
    floor(
        "Kernel", on: ["VFS", "TmpFS", "ELFImage", "GuestMemory", "Platform", "HostSystem", "LinuxABI", "TraceModel"]),
    floor(
        "Syscalls",
        on: ["Kernel", "ELFImage", "Platform", "VFS", "GuestMemory", "HostSystem", "LinuxABI", "TraceModel"]),
    floor(
        "Sandbox",
        on: [
            "Syscalls", "Kernel", "VFS", "TmpFS", "HostFS", "OverlayFS", "DevFS", "ProcFS", "ELFImage", "GuestMemory",
            "Platform", "HostSystem", "LinuxABI", "TraceModel",
        ]),
    .executableTarget(
        name: "apus-kernel", dependencies: ["Sandbox"], swiftSettings: settings(of: "Sandbox"),
        linkerSettings: [.unsafeFlags(["-static-executable"])]),
]

let toolkit: [Target] = [
    .systemLibrary(name: "CElf", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),
    floor("Inspect", on: ["CElf", "ELFImage", "LinuxABI"]),
    floor("Trace", on: ["TraceModel", "HostSystem", "CHost", "LinuxABI"]),
    floor("Diff", on: ["Trace", "TraceModel", "LinuxABI"]),
    floor("Expect", on: ["Diff", .product(name: "Yams", package: "Yams")]),
    floor(
        "Corpus",
        on: [
            "Expect", "Diff", "Trace", "TraceModel", "HostSystem", "LinuxABI",
            .product(name: "Yams", package: "Yams"), log,
        ]),
    floor("Bench", on: ["Corpus", "TraceModel", "HostSystem", "LinuxABI"]),
    floor("Soak", on: ["Corpus", "Trace", "TraceModel", "HostSystem", "LinuxABI"]),
    floor("Report", on: ["Bench", "Corpus", "Expect", "Diff", "Trace", "TraceModel", "LinuxABI", mustache]),
    floor(
        "Commands",
        on: [
            "Report", "Bench", "Soak", "Corpus", "Expect", "Diff", "Trace", "TraceModel", "Inspect", "HostSystem",
            "LinuxABI", argumentParser, log,
        ]),
    // At a fixed place: a third of its start was the linker's moving of 82,000 addresses, page by page.
    .executableTarget(
        name: "apus-toolkit", dependencies: ["Commands"], swiftSettings: settings(of: "Commands"),
        linkerSettings: [.unsafeFlags(["-Xclang-linker", "-no-pie"], .when(configuration: .release))]),
    .executableTarget(
        name: "apus", dependencies: ["HostSystem", "LinuxABI"], swiftSettings: settings(of: "HostSystem"),
        linkerSettings: [.unsafeFlags(["-static-executable"])]),
    floor("SyscallTableGenerator", on: []),
    .executableTarget(
        name: "syscall-table-generator", dependencies: ["SyscallTableGenerator", argumentParser], swiftSettings: strict),
]

let allTests: [Target] = [
    tests(of: "LinuxABI"),
    tests(of: "HostSystem"),
    tests(of: "ELFImage", with: ["Inspect", "LinuxABI"]),
    tests(of: "Platform", with: ["LinuxABI", "HostSystem", "GuestMemory", "Stub"]),
    tests(of: "VFS", with: ["TmpFS", "HostFS", "OverlayFS", "DevFS", "ProcFS", "HostSystem", "LinuxABI"]),
    tests(of: "Kernel", with: ["VFS", "TmpFS", "LinuxABI", "GuestMemory", "Platform", "Stub"]),
    tests(of: "Syscalls", with: ["Kernel", "VFS", "TmpFS", "LinuxABI", "GuestMemory"]),
    tests(of: "Trace", with: ["TraceModel", "HostSystem", "LinuxABI"]),
    tests(of: "Diff", with: ["Trace", "TraceModel", "LinuxABI"]),
    tests(of: "Expect", with: ["Diff"]),
    // Stands in for apus-kernel where the laboratory itself is tested: it runs the program natively, and errs on demand.
    .executableTarget(
        name: "kernel-stand-in", dependencies: ["Trace", "TraceModel", "LinuxABI"], path: "Tests/KernelStandIn",
        swiftSettings: strict),
    tests(of: "Corpus", with: ["Diff", "Trace", "TraceModel", "Expect", "HostSystem", "LinuxABI", "kernel-stand-in"]),
    tests(of: "Bench", with: ["Corpus", "TraceModel"]),
    tests(of: "Soak", with: ["Trace", "TraceModel", "HostSystem"]),
    tests(of: "Report", with: ["Bench", "Corpus", "Diff", "Trace", "Expect"]),
    tests(
        of: "Commands", with: ["Corpus", "HostSystem", "TraceModel", "apus-toolkit", "kernel-stand-in", argumentParser]),
    tests(of: "Inspect", with: ["ELFImage"]),
    tests(of: "SyscallTableGenerator"),
    .testTarget(name: "StructureTests", dependencies: ["HostSystem"], swiftSettings: strict),
    .testTarget(
        name: "SandboxTests", dependencies: ["HostSystem", "LinuxABI"], exclude: ["Guests"], swiftSettings: strict),
]

/// With `APUS_ONLY=KernelTests,apus` in the environment only those targets and what they stand on are built:
/// a developer's loop stays short, and a floor can be tested while one above it is being rebuilt.
func selected(_ all: [Target]) -> [Target] {
    guard let names = Context.environment["APUS_ONLY"], !names.isEmpty else { return all }
    var wanted = Set(names.split(separator: ",").map(String.init))
    // It becomes the toolkit for most of what it is asked; its tests start it, but cannot depend on what is linked statically.
    if wanted.contains("CommandsTests") { wanted.insert("apus") }
    if wanted.contains("apus") { wanted.insert("apus-toolkit") }
    while true {
        let below = all.filter { wanted.contains($0.name) }.flatMap { target in
            target.dependencies.compactMap { dependency -> String? in
                switch dependency {
                case .byNameItem(let name, _), .targetItem(let name, _): name
                default: nil
                }
            }
        }
        let more = wanted.union(below)
        if more == wanted { return all.filter { wanted.contains($0.name) } }
        wanted = more
    }
}

/// The READMEs of a target's folders: for people, not for the compiler.
func readmes(of target: Target) -> [String] {
    let path = target.path ?? (target.type == .test ? "Tests/" : "Sources/") + target.name
    let folder = Context.packageDirectory + "/" + path
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix("README.md") }.sorted()
}

let targets = selected(sandbox + toolkit + allTests)
for target in targets where target.type != .system { target.exclude += readmes(of: target) }
let executables = targets.filter { $0.type == .executable && $0.path == nil }.map(\.name)

let package = Package(
    name: "apus",
    products: executables.map { .executable(name: $0, targets: [$0]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
    ],
    targets: targets
)
