package import LinuxABI
package import VFS

/// The descriptors of a process, or of several with `CLONE_FILES`. Linux's `files_struct`.
package final class FileTable {
    private struct Slot {
        var file: OpenFile?
        var closeOnExec = false
    }

    private var slots: [Slot] = []
    /// No slot below is free.
    private var lowestFree = 0
    /// How many numbers the table has room for, used or not: the `FDSize` of `proc_pid_status(5)`. select(2) does not see
    /// numbers beyond (its BUGS). Doubles when a number needs it, never shrinks; a copy begins with what its numbers need.
    package private(set) var room = FileTable.smallestRoom
    private static let smallestRoom = 64
    /// What a stub was told of these descriptors; it hears before a number means something else.
    package var local: LocalFiles?
    /// What a stub knows of these descriptors, where it closes and copies them by itself.
    var cards: DescriptorCards?
    /// What a stub was told of names that begin at these descriptors.
    var names: LocalNames?
    /// What a stub writes of these files by itself.
    var writes: LocalWrites?
    /// Calls of a kind that stubs with cards carry out by themselves.
    private var coldCalls: UInt8 = 0
    /// Threads that use the table; the last one to leave closes everything.
    private var users = 1

    package init() {}

    /// A hard bound on descriptor numbers, whatever RLIMIT_NOFILE says (`/proc/sys/fs/nr_open`).
    package static let maximum = 1 << 20

    /// The open file behind a descriptor. Throws EBADF.
    package func file(_ number: FileNumber) throws(Errno) -> OpenFile {
        let index = Int(number.rawValue)
        guard index >= 0, index < slots.count, let file = slots[index].file else { throw .EBADF }
        return file
    }

    /// Installs a file at the lowest free number that is at least `minimum` and below `limit` (RLIMIT_NOFILE).
    /// Throws EMFILE.
    package func install(
        _ file: OpenFile, closeOnExec: Bool, atLeast minimum: Int = 0, limit: Int
    ) throws(Errno) -> FileNumber {
        var index = max(minimum, minimum <= lowestFree ? lowestFree : minimum)
        while index < slots.count, slots[index].file != nil { index += 1 }
        guard index < min(limit, FileTable.maximum) else { throw .EMFILE }
        put(file, closeOnExec: closeOnExec, at: index)
        if minimum <= lowestFree { lowestFree = index + 1 }
        return FileNumber(Int32(index))
    }

    /// Puts a file at exactly this number, closing what was there. Throws EBADF when the number is out of bounds.
    package func replace(
        _ file: OpenFile, closeOnExec: Bool, at number: FileNumber, limit: Int
    ) throws(Errno) -> OpenFile? {
        let index = Int(number.rawValue)
        guard index >= 0, index < min(limit, FileTable.maximum) else { throw .EBADF }
        let old = index < slots.count ? slots[index].file : nil
        put(file, closeOnExec: closeOnExec, at: index)
        return old
    }

    /// Takes the file out of the table; the caller flushes and releases it. Throws EBADF.
    package func remove(_ number: FileNumber) throws(Errno) -> OpenFile {
        let file = try file(number)
        let index = Int(number.rawValue)
        local?.withdraw(index)
        nameless(index)
        writes?.changed(index)
        slots[index] = Slot()
        lowestFree = min(lowestFree, index)
        cards?.changed(index, to: nil, closeOnExec: false)
        return file
    }

    package func closeOnExec(_ number: FileNumber) throws(Errno) -> Bool {
        _ = try file(number)
        return slots[Int(number.rawValue)].closeOnExec
    }

    package func setCloseOnExec(_ number: FileNumber, _ value: Bool) throws(Errno) {
        let file = try file(number)
        slots[Int(number.rawValue)].closeOnExec = value
        cards?.changed(Int(number.rawValue), to: file, closeOnExec: value)
    }

    /// The numbers in use, ascending: `/proc/pid/fd`, `close_range(2)`.
    package var numbers: [FileNumber] {
        slots.indices.filter { slots[$0].file != nil }.map { FileNumber(Int32($0)) }
    }

    /// A copy for a new process: every description gets one more reference.
    package func copy() -> FileTable {
        let table = FileTable()
        table.slots = slots
        table.lowestFree = lowestFree
        if let last = slots.lastIndex(where: { $0.file != nil }) { table.makeRoom(for: last) }
        for slot in slots { slot.file?.retain() }
        return table
    }

    package func addUser() { users += 1 }

    /// A user leaves; the last one closes every descriptor.
    package func removeUser() {
        users -= 1
        guard users == 0 else { return }
        local?.release()
        cards?.release()
        names?.release()
        writes?.release()
        for number in numbers { close(number) }
    }

    package var isShared: Bool { users > 1 }
    var userCount: Int { users }

    /// What `execve(2)` does to descriptors with `FD_CLOEXEC`.
    package func closeForExec() {
        for number in numbers where slots[Int(number.rawValue)].closeOnExec { close(number) }
    }

    private func close(_ number: FileNumber) {
        guard let file = try? remove(number) else { return }
        try? closed(file)
    }

    /// What the end of a descriptor means for its file: the table's record locks go, and the description with its last
    /// descriptor. Throws what `flush` of the file throws; the descriptor is gone in any case.
    package func closed(_ file: OpenFile) throws(Errno) {
        if !file.flags.contains(.pathOnly) {
            file.operations.inode.locks.clear(0, .max, of: .table(ObjectIdentifier(self)))
        }
        defer { file.release() }
        try file.operations.flush(file)
    }

    /// True if one more file finds a number below `limit` (RLIMIT_NOFILE).
    package func hasRoom(limit: Int) -> Bool {
        var index = lowestFree
        while index < slots.count, slots[index].file != nil { index += 1 }
        return index < min(limit, FileTable.maximum)
    }

    private func put(_ file: OpenFile, closeOnExec: Bool, at index: Int) {
        while slots.count <= index { slots.append(Slot()) }
        makeRoom(for: index)
        local?.withdraw(index)
        nameless(index)
        writes?.changed(index)
        file.retain()
        slots[index] = Slot(file: file, closeOnExec: closeOnExec)
        cards?.changed(index, to: file, closeOnExec: closeOnExec)
    }

    // MARK: Cards

    /// A call that a stub could carry out by itself.
    /// - Returns: true at every 24th.
    @inline(__always)
    func countColdCall() -> Bool {
        coldCalls += 1
        guard coldCalls == FileTable.hot else { return false }
        coldCalls = 0
        return true
    }

    private static let hot: UInt8 = 24

    /// Puts a file at a number that is free, as its stub has done. Nothing happens if it is not.
    func copy(_ number: Int, to target: Int, closeOnExec: Bool) {
        guard number < slots.count, let file = slots[number].file, !(target < slots.count && slots[target].file != nil)
        else { return }
        put(file, closeOnExec: closeOnExec, at: target)
        names?.copied(number, to: target)
    }

    /// There was a file at a number, which has gone again.
    func reached(_ number: Int) { makeRoom(for: number) }

    /// Names that begin at the number are told no more.
    @inline(__always)
    private func nameless(_ index: Int) {
        names?.changed(index, byStub: cards?.isCarryingOut == true)
    }

    private func makeRoom(for index: Int) {
        while room <= index { room *= 2 }
    }
}
