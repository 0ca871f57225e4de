internal import HostSystem
internal import LinuxABI

/// What the sandbox tells of the host's hardware: descriptors that are opened before the sandbox is closed off, and read when
/// a guest asks.
final class HostFacts {
    private let processorFile: Int32?
    private let memoryFile: Int32?
    private let fileSystemsFile: Int32?
    /// `/sys/devices/system/cpu` and `node`, as directories.
    let systemDevices: [(name: String, descriptor: Int32)]
    let processorCount: Int
    /// Yama's, which is not to be seen later.
    let tracingScope = Host.tracingScope
    let hugePages: [UInt8]
    let hasVsyscallPage: Bool

    init() {
        processorFile = try? Host.openFile("/proc/cpuinfo")
        memoryFile = try? Host.openFile("/proc/meminfo")
        fileSystemsFile = try? Host.openFile("/proc/filesystems")
        systemDevices = ["cpu", "node"].compactMap { name -> (name: String, descriptor: Int32)? in
            let path = "/sys/devices/system/" + name
            guard let descriptor = Host.openTree(path, isReadOnly: true)?.descriptor else { return nil }
            return (name, descriptor)
        }
        processorCount = Host.processorCount
        hasVsyscallPage = Host.specialMappings.contains { $0.name == "[vsyscall]" }
        hugePages = HostFacts.read(try? Host.openFile("/sys/kernel/mm/transparent_hugepage/enabled"))
    }

    /// The text of `/proc/cpuinfo`.
    var processors: [UInt8] { HostFacts.read(processorFile) }

    /// The text of `/proc/filesystems`: programs look there for what they may meet, and libraries for what the host knows
    /// (libselinux, in most coreutils).
    var fileSystems: [UInt8] { HostFacts.read(fileSystemsFile) }

    /// The lines of `/proc/meminfo`: values with what follows them (` kB`, or nothing).
    var memory: [(name: String, value: UInt64, unit: String)] {
        String(decoding: HostFacts.read(memoryFile), as: UTF8.self).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            let words = parts[1].split(separator: " ")
            guard let first = words.first, let value = UInt64(first) else { return nil }
            return (String(parts[0]), value, words.count > 1 ? " " + words[1] : "")
        }
    }

    /// A whole generated file, at most a megabyte of it.
    private static func read(_ descriptor: Int32?) -> [UInt8] {
        guard let descriptor else { return [] }
        var bytes: [UInt8] = []
        while bytes.count < 1 << 20 {
            let offset = Int64(bytes.count)
            let before = bytes.count
            bytes.append(addingCapacity: 16384) { output in
                _ = try? Host.read(descriptor, at: offset, into: &output, limit: 16384)
            }
            if bytes.count == before { break }
        }
        return bytes
    }

    /// Numbers as ranges: `0-3,8`.
    static func list(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}
