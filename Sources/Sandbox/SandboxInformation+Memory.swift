internal import GuestMemory
internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import Platform
internal import VFS

/// A process's memory as `/proc` shows it. Only what the guest has mapped is there: the stub is not.
extension SandboxInformation {
    // MARK: maps

    func maps(_ thread: GuestThread?) -> [UInt8] {
        guard let map = thread?.map else { return [] }
        var text: [UInt8] = []
        text.reserveCapacity(map.areas.areas.count * 100)
        for area in map.areas.areas { text += line(area, map) }
        if host.hasVsyscallPage { text += SandboxInformation.vsyscallLine }
        return text
    }

    /// The page of old kernels' calls, which is above every address of a program's: the same everywhere.
    private static let vsyscallLine = Array(
        ("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0".left(73) + "[vsyscall]\n").utf8)

    /// One area: addresses, permissions, offset, device, inode, and from the 74th column on its name.
    private func line(_ area: VMA, _ map: MemoryMap) -> [UInt8] {
        var device = DeviceNumber(rawValue: 0)
        var inode: UInt64 = 0
        var name: [UInt8] = []
        // What has a name in brackets is no file's, whatever the sandbox maps there.
        if let label = area.label {
            name = Array(label.description.utf8)
        } else if let file = area.object?.file {
            let attributes = (try? file.operations.inode.attributes()) ?? FileAttributes()
            device = DeviceNumber(rawValue: attributes.device)
            inode = attributes.inode
            name = (file.location.map(path) ?? []).escaped("\n")
        } else if let object = area.object {
            // Shared memory without a file is a deleted one of the kernel's own tmpfs.
            device = DeviceNumber(major: 0, minor: 1)
            inode = (try? Host.status(object.descriptor))?.inode ?? 0
            name = Array("/dev/zero (deleted)".utf8)
        } else if area.start < map.heap.upperBound, map.heap.lowerBound < area.end {
            // Whatever a program has mapped over its heap.
            name = Array("[heap]".utf8)
        }
        let access = area.protection
        var text = "\(area.start.hex(8))-\(area.end.hex(8)) \(access.contains(.read) ? "r" : "-")"
        text += "\(access.contains(.write) ? "w" : "-")\(access.contains(.execute) ? "x" : "-")"
        text += "\(area.isShared ? "s" : "p") \((area.object == nil || area.label != nil ? 0 : area.offset).hex(8))"
        text += " \(device.major.hex(2)):\(device.minor.hex(2)) \(inode) "
        guard !name.isEmpty else { return Array((text + "\n").utf8) }
        return Array(text.left(73).utf8) + name + [0x0a]
    }

    // MARK: Sizes

    /// What kinds of memory an address space holds, in bytes.
    struct Sizes {
        var total: UInt = 0
        var data: UInt = 0
        var stack: UInt = 0
        var program: UInt = 0
        var libraries: UInt = 0
        var locked: UInt = 0
        var anonymous: UInt = 0
        var files: UInt = 0
        var shared: UInt = 0
        var tables: UInt = 0
    }

    func sizes(_ map: MemoryMap, _ process: Process) -> Sizes {
        var sizes = Sizes()
        let program = process.executable?.inode
        for area in map.areas.areas {
            let length = area.length
            let isStack = area.start < map.stack.upperBound && map.stack.lowerBound < area.end
            let file = area.object?.file?.operations.inode
            sizes.total += length
            if area.isLocked { sizes.locked += length }
            if isStack {
                sizes.stack += length
            } else if area.protection.contains(.execute), !area.protection.contains(.write) {
                if file != nil, file === program { sizes.program += length } else { sizes.libraries += length }
            } else if area.protection.contains(.write), !area.isShared {
                sizes.data += length
            }
            let resident = resident(area)
            if area.isShared, file == nil {
                sizes.shared += resident
            } else if file != nil, !area.protection.contains(.write) {
                sizes.files += resident
            } else {
                sizes.anonymous += resident
            }
            // A page of table for each 2 MiB that the area touches.
            sizes.tables += ((area.end - 1) >> 21) - (area.start >> 21) + 1
        }
        if let host = Host.residentMemory(of: map.stub.hostProcess) {
            sizes.anonymous = UInt(host.resident - min(host.shared, host.resident))
            sizes.shared = min(sizes.shared, UInt(host.shared))
            sizes.files = UInt(host.shared) - sizes.shared
        }
        sizes.tables = min(sizes.tables, sizes.total >> 21 + UInt(map.areas.areas.count)) * 4096
        return sizes
    }

    /// How much of an area is in memory. The host tells that of whole processes only, so this is what can be at most, but for
    /// what is seldom used in full: nothing of what may not be accessed, and 132 KiB of a stack.
    private func resident(_ area: VMA) -> UInt {
        guard !area.protection.isEmpty else { return 0 }
        return area.label?.description == "[stack]" ? min(area.length, 132 << 10) : area.length
    }

    /// What the host counts for the process that the guest lives in; where it does not tell, what can be at most.
    func residentPages(_ map: MemoryMap) -> UInt {
        if let host = Host.residentMemory(of: map.stub.hostProcess) { return UInt(host.resident / 4096) }
        return map.areas.areas.reduce(0) { $0 + resident($1) } / 4096
    }

    func memoryStatus(_ map: MemoryMap, _ process: Process) -> String {
        let sizes = sizes(map, process)
        let resident = sizes.anonymous + sizes.files + sizes.shared
        let rows: [(String, UInt)] = [
            ("VmPeak", sizes.total), ("VmSize", sizes.total), ("VmLck", sizes.locked), ("VmPin", 0),
            ("VmHWM", resident),
            ("VmRSS", resident), ("RssAnon", sizes.anonymous), ("RssFile", sizes.files), ("RssShmem", sizes.shared),
            ("VmData", sizes.data), ("VmStk", sizes.stack), ("VmExe", sizes.program), ("VmLib", sizes.libraries),
            ("VmPTE", sizes.tables), ("VmSwap", 0), ("HugetlbPages", 0),
        ]
        var text = ""
        for (name, bytes) in rows { text += "\(name):\t\((bytes >> 10).right(8)) kB\n" }
        return text + "CoreDumping:\t0\nTHP_enabled:\t\(process.disablesHugePages ? 0 : 1)\n"
            + "untag_mask:\t0xffffffffffffffff\n"
    }

    /// `statm`: pages in all, resident, shared, of the program, (unused), of data and stack, (unused).
    func memorySummary(_ map: MemoryMap?) -> String {
        guard let map, let process = kernel.processes.values.first(where: { $0.threads.contains { $0.map === map } })
        else {
            return "0 0 0 0 0 0 0\n"
        }
        let sizes = sizes(map, process)
        let resident = sizes.anonymous + sizes.files + sizes.shared
        let numbers: [UInt] = [
            sizes.total, resident, sizes.files + sizes.shared, sizes.program, 0, sizes.data + sizes.stack, 0,
        ]
        return numbers.map { "\($0 >> 12)" }.joined(separator: " ") + "\n"
    }

    /// The program's executable part.
    func codeRange(_ map: MemoryMap, _ process: Process) -> Range<UInt> {
        range(of: map, process) { $0.protection.contains(.execute) }
    }

    /// The program's initialized data.
    func dataRange(_ map: MemoryMap, _ process: Process) -> Range<UInt> {
        range(of: map, process) { $0.protection.contains(.write) }
    }

    private func range(of map: MemoryMap, _ process: Process, where condition: (VMA) -> Bool) -> Range<UInt> {
        guard let program = process.executable?.inode else { return 0..<0 }
        let areas = map.areas.areas.filter { $0.object?.file?.operations.inode === program && condition($0) }
        guard let first = areas.first, let last = areas.last else { return 0..<0 }
        return first.start..<last.end
    }

    // MARK: smaps

    func sharesOfMaps(_ thread: GuestThread?) -> [UInt8] {
        guard let map = thread?.map else { return [] }
        var text: [UInt8] = []
        text.reserveCapacity(map.areas.areas.count * 800)
        for area in map.areas.areas {
            text += line(area, map)
            SandboxInformation.row("Size", area.length, to: &text)
            SandboxInformation.row("KernelPageSize", 4096, to: &text)
            SandboxInformation.row("MMUPageSize", 4096, to: &text)
            putShares(of: [area], to: &text)
            text += SandboxInformation.noKeys
            text += Array("VmFlags: \(flags(area))\n".utf8)
        }
        return text
    }

    private static let noKeys = Array(
        "THPeligible:    \(0.right(8))\nProtectionKey:  \(0.right(8))\n".utf8)

    func sumOfMaps(_ thread: GuestThread?) -> [UInt8] {
        guard let areas = thread?.map?.areas.areas, let first = areas.first, let last = areas.last else { return [] }
        let head = "\(first.start.hex(8))-\(last.end.hex(8)) ---p 00000000 00:00 0 "
        var text = Array((head.left(73) + "[rollup]\n").utf8)
        putShares(of: areas, isSum: true, to: &text)
        return text
    }

    /// A name, and how many kilobytes. Bytes by hand: an address space can have sixty thousand areas with twenty rows each.
    private static func row(_ name: StaticString, _ bytes: UInt, to text: inout [UInt8]) {
        let start = text.count
        text += Array(name.description.utf8)
        text.append(0x3a)
        var digits: [UInt8] = []
        var left = bytes >> 10
        repeat {
            digits.append(0x30 + UInt8(left % 10))
            left /= 10
        } while left > 0
        text += repeatElement(0x20, count: max(0, 24 - digits.count - (text.count - start)))
        text += digits.reversed()
        text += [0x20, 0x6b, 0x42, 0x0a]
    }

    private func putShares(of areas: [VMA], isSum: Bool = false, to text: inout [UInt8]) {
        var resident: UInt = 0
        var anonymous: UInt = 0
        var files: UInt = 0
        var locked: UInt = 0
        for area in areas {
            let bytes = self.resident(area)
            resident += bytes
            if area.object == nil { anonymous += bytes } else if area.object?.file != nil { files += bytes }
            if area.isLocked { locked += area.length }
        }
        var rows: [(StaticString, UInt)] = [
            ("Rss", resident), ("Pss", resident), ("Pss_Dirty", resident - files),
        ]
        if isSum {
            rows += [("Pss_Anon", anonymous), ("Pss_File", files), ("Pss_Shmem", resident - anonymous - files)]
        }
        rows += [
            ("Shared_Clean", 0), ("Shared_Dirty", 0), ("Private_Clean", files), ("Private_Dirty", resident - files),
            ("Referenced", resident), ("Anonymous", anonymous), ("KSM", 0), ("LazyFree", 0), ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0), ("FilePmdMapped", 0), ("Shared_Hugetlb", 0), ("Private_Hugetlb", 0), ("Swap", 0),
            ("SwapPss", 0), ("Locked", locked),
        ]
        for (name, bytes) in rows { SandboxInformation.row(name, bytes, to: &text) }
    }

    /// Two letters a flag, each with a space behind it.
    private func flags(_ area: VMA) -> String {
        var flags: [String] = []
        if area.protection.contains(.read) { flags.append("rd") }
        if area.protection.contains(.write) { flags.append("wr") }
        if area.protection.contains(.execute) { flags.append("ex") }
        if area.isShared { flags.append("sh") }
        flags += ["mr", "mw", "me"]
        if area.isShared { flags.append("ms") }
        if area.isGrowable || area.label?.description == "[stack]" { flags.append("gd") }
        if area.isLocked { flags.append("lo") }
        if area.isKeptFromChildren { flags.append("dc") }
        if area.protection.contains(.write), !area.isShared { flags.append("ac") }
        return flags.map { $0 + " " }.joined()
    }

    // MARK: Bytes

    /// Bytes of a process's memory, as far as they can be read.
    func memory(_ thread: GuestThread?, _ range: Range<UInt>) throws(Errno) -> [UInt8] {
        guard let map = thread?.map, !range.isEmpty else { return [] }
        let count = min(Int(clamping: range.upperBound - range.lowerBound), GuestThread.maximumCopy)
        var bytes: [UInt8] = []
        bytes.append(addingCapacity: count) { output in
            // What cannot be read ends it.
            try? map.memory.read(count, at: range.lowerBound, into: &output)
        }
        return bytes
    }

    /// The arguments; a program that has overwritten their end (`setproctitle`) is followed into the environment.
    func commandLine(_ process: Process, _ thread: GuestThread?) -> [UInt8] {
        let arguments = (try? memory(thread, process.argumentRange)) ?? []
        guard let last = arguments.last, last != 0 else { return arguments }
        let more = (try? memory(thread, process.environmentRange)) ?? []
        let whole = arguments + more
        return Array(whole.prefix { $0 != 0 }) + [0]
    }

    func readMemory(of process: ProcessID, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno) {
        guard let map = kernel.processes[process]?.threads.first?.map else { return }
        let count = try mapped(map, address, output.freeCapacity, .read)
        do throws(Errno) {
            try map.memory.read(count, at: address, into: &output)
        } catch {
            if output.isEmpty { throw .EIO }
        }
    }

    func writeMemory(of process: ProcessID, at address: UInt, _ bytes: Span<UInt8>) throws(Errno) -> Int {
        guard let map = kernel.processes[process]?.threads.first?.map else { return 0 }
        let count = try mapped(map, address, bytes.count, .write)
        do throws(Errno) {
            try map.memory.write(bytes.extracting(first: count), at: address)
        } catch {
            throw .EIO
        }
        return count
    }

    /// How many of `count` bytes from the address on belong to the guest. Throws EIO for none.
    private func mapped(_ map: MemoryMap, _ address: UInt, _ count: Int, _ access: Protection) throws(Errno) -> Int {
        var end = address
        let (limit, overflow) = address.addingReportingOverflow(UInt(count))
        guard !overflow else { throw .EIO }
        while end < limit, let area = map.areas.area(at: end), area.protection.contains(access) { end = area.end }
        guard end > address || count == 0 else { throw .EIO }
        return Int(min(end, limit) - address)
    }
}
