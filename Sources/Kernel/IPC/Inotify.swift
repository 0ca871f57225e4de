package import LinuxABI
package import VFS

/// An inotify instance: watches, and the events that nobody has read. See `inotify(7)`.
package final class Inotify: FileOperations, FileWatcher, DescribedFile {
    private struct Watch {
        var mask: UInt32
        let file: FileIdentity
    }

    private struct Event: Equatable {
        var watch: Int32
        var mask: UInt32
        var cookie: UInt32 = 0
        var name: [UInt8] = []

        /// With its name, which is padded with NULs to a multiple of 16.
        var size: Int { 16 + (name.isEmpty ? 0 : (name.count + 16) & ~15) }
    }

    package static let maskAdd: UInt32 = 0x2000_0000
    package static let maskCreate: UInt32 = 0x1000_0000
    private static let oneShot: UInt32 = 0x8000_0000
    /// `IN_EXCL_UNLINK`
    private static let excludeUnlinked: UInt32 = 0x0400_0000
    private static let ignored: UInt32 = 0x8000
    private static let overflow: UInt32 = 0x4000
    /// `fs.inotify.max_queued_events`
    package static let mostEvents = 16384
    /// `fs.inotify.max_user_watches`
    package static let mostWatches = 65536

    private var watches: [Int32: Watch] = [:]
    private var numbers: [FileIdentity: Int32] = [:]
    private var lastNumber: Int32 = 0
    private var events: [Event] = []
    private let registry: FileWatches
    private let queue = WaitQueue()
    private let node: any Inode

    package init(_ registry: FileWatches, node: any Inode) {
        self.registry = registry
        self.node = node
        registry.instances += 1
    }

    /// `fs.inotify.max_user_instances`
    package static let mostInstances = 128

    /// The newest watch first, as Linux has them.
    package var description: String {
        var text = ""
        for (number, watch) in watches.sorted(by: { $0.key > $1.key }) {
            let device = DeviceNumber(rawValue: watch.file.device)
            let encoded = UInt64(device.major) << 20 | UInt64(device.minor)
            text += "inotify wd:\(number.hex()) ino:\(watch.file.inode.hex()) sdev:\(encoded.hex()) "
            text += "mask:\(watch.mask.hex()) ignored_mask:0 \n"
        }
        return text
    }

    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { queue }

    // MARK: Watches

    /// Watches a file, or changes what is watched of it. Throws EEXIST, ENOSPC.
    package func add(_ file: FileIdentity, mask: UInt32) throws(Errno) -> Int32 {
        let kept = mask & (FileEvents.all.rawValue | Inotify.oneShot | Inotify.excludeUnlinked)
        if let number = numbers[file], let known = watches[number] {
            guard mask & Inotify.maskCreate == 0 else { throw .EEXIST }
            watches[number]?.mask = mask & Inotify.maskAdd != 0 ? known.mask | kept : kept
            return number
        }
        guard watches.count < Inotify.mostWatches else { throw .ENOSPC }
        lastNumber = lastNumber == .max ? 1 : lastNumber + 1
        while watches[lastNumber] != nil { lastNumber = lastNumber == .max ? 1 : lastNumber + 1 }
        watches[lastNumber] = Watch(mask: kept, file: file)
        numbers[file] = lastNumber
        registry.add(self, to: file)
        return lastNumber
    }

    /// Throws EINVAL for a watch that is not there.
    package func remove(_ number: Int32) throws(Errno) {
        guard let watch = watches.removeValue(forKey: number) else { throw .EINVAL }
        numbers[watch.file] = nil
        registry.remove(self, from: watch.file)
        post(Event(watch: number, mask: Inotify.ignored))
    }

    // MARK: Events

    package func heard(
        _ happened: FileEvents, of file: FileIdentity, name: FileName?, cookie: UInt32, isUnlinked: Bool
    ) {
        guard let number = numbers[file], let watch = watches[number] else { return }
        if isUnlinked, watch.mask & Inotify.excludeUnlinked != 0 { return }
        if watch.mask & happened.rawValue & FileEvents.all.rawValue != 0 {
            post(Event(watch: number, mask: happened.rawValue, cookie: cookie, name: name?.bytes ?? []))
            if watch.mask & Inotify.oneShot != 0 {
                try? remove(number)
                return
            }
        }
        // What is gone is watched no longer.
        if happened.contains(.deleteSelf) { try? remove(number) }
    }

    private func post(_ event: Event) {
        // The same again tells nothing new.
        guard events.last != event else { return }
        if events.count >= Inotify.mostEvents {
            let lost = Event(watch: -1, mask: Inotify.overflow)
            if events.last != lost { events.append(lost) }
            return
        }
        events.append(event)
        queue.wakeAll(.readable)
    }

    package func poll(_ file: OpenFile) -> PollEvents { events.isEmpty ? [] : .readable }

    package func read(_ file: OpenFile, into output: inout OutputSpan<UInt8>, at offset: Int64?) throws(Errno) {
        guard let first = events.first else { throw .EAGAIN }
        guard output.freeCapacity >= first.size else { throw .EINVAL }
        var taken = 0
        for event in events {
            guard output.freeCapacity >= event.size else { break }
            var writer = ByteWriter(capacity: event.size)
            writer.put(event.watch)
            writer.put(event.mask)
            writer.put(event.cookie)
            writer.put(UInt32(event.size - 16))
            writer.put(event.name)
            writer.pad(to: event.size)
            for byte in writer.bytes { output.append(byte) }
            taken += 1
        }
        events.removeFirst(taken)
    }

    package func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    {
        // FIONREAD
        guard command == 0x541b else { throw .ENOTTY }
        var writer = ByteWriter()
        writer.put(Int32(clamping: events.reduce(0) { $0 + $1.size }))
        try memory.write(writer.bytes, at: argument)
        return 0
    }

    package func release(_ file: OpenFile) {
        registry.instances -= 1
        for watch in watches.values { registry.remove(self, from: watch.file) }
        watches = [:]
        numbers = [:]
    }
}
