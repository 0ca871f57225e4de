package import LinuxABI
package import VFS

/// An epoll instance: what is watched, and what of it may be ready. See `epoll(7)`.
package final class Epoll: FileOperations, DescribedFile {
    /// A registration is of a descriptor number and the description behind it.
    struct Key: Hashable {
        let number: FileNumber
        let file: ObjectIdentifier
    }

    final class Item: Waiter {
        /// Not asked once the item has left: whoever watches may be gone before what is watched hears of it. Weak references
        /// would make all others to the same object several times as dear.
        unowned let epoll: Epoll
        var hasLeft = false
        /// Somebody else may change whether it is ready.
        let isForeign: Bool
        let key: Key
        /// Where the item stands in line; kept, since the file may be gone before the queue.
        let source: WaitQueue
        /// The last descriptor's end takes the registration with it: `isGone`.
        let file: OpenFile
        /// What is watched, if it is an epoll itself.
        weak var inner: Epoll?
        var events: UInt32
        var data: UInt64
        var isQueued = false
        var isDisabled = false

        init(_ epoll: Epoll, _ key: Key, _ file: OpenFile, _ source: WaitQueue, events: UInt32, data: UInt64) {
            self.epoll = epoll
            self.key = key
            self.file = file
            self.source = source
            isForeign = !file.operations.isReadyByKernel
            self.events = events
            self.data = data
        }

        func fire(_ queue: WaitQueue, _ events: PollEvents) {
            // What was not asked for is no news, or edges would be seen where there are none.
            guard !events.isDisjoint(with: PollEvents(rawValue: self.events).union(Epoll.always)) else { return }
            guard !hasLeft else { return }
            epoll.enqueue(self)
        }

        var isGone: Bool { file.isReleased }
    }

    package static let edgeTriggered: UInt32 = 1 << 31
    package static let oneShot: UInt32 = 1 << 30
    package static let exclusive: UInt32 = 1 << 28
    package static let wakeUp: UInt32 = 1 << 29
    /// Of a `struct epoll_event`, in bytes.
    package static let eventSize = 12
    /// What is reported whether asked for or not.
    private static let always: PollEvents = [.error, .hangUp]

    private(set) var items: [Key: Item] = [:]
    private var ready: [Item] = []
    private var sweepAt = 64
    /// How many items are foreign.
    private var foreign = 0
    /// The epolls that watch this one.
    var watchers: [ObjectIdentifier: Watcher] = [:]
    var nesting = Nesting()
    private let queue = WaitQueue()
    private let node: any Inode

    package init(node: any Inode) { self.node = node }

    /// By descriptor, as Linux's tree of them is.
    package var description: String {
        items.values.sorted { $0.key.number.rawValue < $1.key.number.rawValue }.map(Epoll.line).joined()
    }

    private static func line(_ item: Item) -> String {
        guard !item.isGone, let attributes = try? item.file.operations.inode.attributes() else { return "" }
        let device = DeviceNumber(rawValue: attributes.device)
        let encoded = UInt64(device.major) << 20 | UInt64(device.minor)
        let number = String(item.key.number.rawValue)
        var text = "tfd: " + String(repeating: " ", count: max(0, 8 - number.utf8.count)) + number
        text += " events: \((item.events | Epoll.always.rawValue).hex(8, padding: " ")) "
        text += "data: \(item.data.hex(16, padding: " ")) "
        text += " pos:\(item.file.position) ino:\(attributes.inode.hex()) sdev:\(encoded.hex())\n"
        return text
    }

    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { queue }

    package func poll(_ file: OpenFile) -> PollEvents { hasReady ? .readable : [] }

    /// Unlike other files this one has commands of its own (`EPIOCSPARAMS`), and calls all others invalid.
    package func ioctl(_ file: OpenFile, command: UInt32, argument: UInt, memory: any IoctlMemory) throws(Errno) -> Int
    {
        throw .EINVAL
    }

    /// Drops what is in the line without being ready, so that nobody looks at it twice: asked from above, an epoll of epolls
    /// would multiply the looks at each level.
    private var hasReady: Bool {
        guard let first = ready.firstIndex(where: { !$0.isDisabled && !current($0).isEmpty }) else {
            for item in ready { drop(item) }
            ready = []
            return false
        }
        if first > 0 {
            for item in ready[..<first] { drop(item) }
            ready.removeFirst(first)
        }
        return true
    }

    /// The item is no longer in the line of those that may be ready.
    private func drop(_ item: Item) {
        item.isQueued = false
        if item.isGone { forget(item) }
    }

    private func forget(_ item: Item) {
        leave(item)
        if items[item.key] === item { items[item.key] = nil }
    }

    private func leave(_ item: Item) {
        if item.isForeign, !item.hasLeft { foreign -= 1 }
        item.hasLeft = true
        item.source.remove(item)
        if let inner = item.inner { stopsWatching(inner) }
    }

    /// Registrations of files that were closed go when there are as many again as there were living ones.
    private func sweep() {
        guard items.count >= sweepAt else { return }
        for item in Array(items.values) where item.isGone && !item.isQueued { forget(item) }
        sweepAt = max(64, items.count * 2)
    }

    private func current(_ item: Item) -> PollEvents {
        guard !item.isGone else { return [] }
        let wanted = PollEvents(rawValue: item.events & 0xffff).union(Epoll.always)
        return item.file.operations.poll(item.file).intersection(wanted)
    }

    private func enqueue(_ item: Item) {
        guard !item.isQueued, !item.isDisabled else { return }
        item.isQueued = true
        ready.append(item)
        queue.wake(.readable)
    }

    // MARK: epoll_ctl

    private func key(_ number: FileNumber, _ file: OpenFile) -> Key {
        Key(number: number, file: ObjectIdentifier(file))
    }

    /// Throws EEXIST, EPERM for a file that is always ready, ELOOP for circles and deep nesting, EINVAL where too many ways would
    /// lead from a file to whoever waits for it.
    package func add(_ number: FileNumber, _ file: OpenFile, events: UInt32, data: UInt64) throws(Errno) {
        if let other = file.operations as? Epoll {
            guard other !== self else { throw .EINVAL }
            guard events & Epoll.exclusive == 0 else { throw .EINVAL }
            try checkNesting(other)
        }
        let key = key(number, file)
        if let item = items[key] {
            guard item.isGone else { throw .EEXIST }
            leave(item)
        }
        guard let source = file.operations.waitQueue else { throw .EPERM }
        sweep()
        let item = Item(self, key, file, source, events: events, data: data)
        items[key] = item
        if item.isForeign { foreign += 1 }
        source.add(item, exclusive: events & Epoll.exclusive != 0)
        do throws(Errno) {
            if let other = file.operations as? Epoll {
                item.inner = other
                watches(other)
                try other.checkPathsFromBelow()
            } else {
                holdsFile()
                if !watchers.isEmpty { try checkPaths(from: [source], of: file) }
            }
        } catch {
            forget(item)
            throw error
        }
        if !current(item).isEmpty { enqueue(item) }
    }

    package func modify(_ number: FileNumber, _ file: OpenFile, events: UInt32, data: UInt64) throws(Errno) {
        guard let item = items[key(number, file)], !item.isGone else { throw .ENOENT }
        guard item.events & Epoll.exclusive == 0, events & Epoll.exclusive == 0 else { throw .EINVAL }
        item.events = events
        item.data = data
        item.isDisabled = false
        if !current(item).isEmpty { enqueue(item) }
    }

    package func remove(_ number: FileNumber, _ file: OpenFile) throws(Errno) {
        guard let item = items.removeValue(forKey: key(number, file)), !item.isGone else { throw .ENOENT }
        leave(item)
        ready.removeAll { $0 === item }
    }

    // MARK: epoll_wait

    /// How many events `take` gives at most.
    @inline(__always)
    package var mostEvents: Int { ready.count }

    /// Takes at most `limit` events, each as `struct epoll_event`; level-triggered ones stay for the next call, at the end of
    /// the line.
    /// - Returns: how many there are.
    package func take(_ limit: Int, into events: inout OutputSpan<UInt8>) -> Int {
        let waiting = ready.count
        guard waiting > 0 else { return 0 }
        var taken = 0
        var looked = 0
        var staying = 0
        while looked < waiting, taken < limit {
            let item = ready[looked]
            looked += 1
            let current = item.isDisabled ? [] : current(item)
            guard !current.isEmpty else {
                drop(item)
                continue
            }
            for shift: UInt32 in 0..<4 { events.append(UInt8(truncatingIfNeeded: current.rawValue >> (8 * shift))) }
            for shift: UInt64 in 0..<8 { events.append(UInt8(truncatingIfNeeded: item.data >> (8 * shift))) }
            taken += 1
            if item.events & (Epoll.oneShot | Epoll.edgeTriggered) == 0 {
                staying += 1
            } else {
                item.isQueued = false
                if item.events & Epoll.oneShot != 0 { item.isDisabled = true }
            }
        }
        // Mostly all stay where they are. Otherwise those that stay stand behind those that were there.
        if staying < waiting {
            let rest = ready[..<looked].filter(\.isQueued)
            ready.removeFirst(looked)
            ready += rest
        }
        // Waiters are woken one at a time: who leaves something behind wakes the next.
        if !ready.isEmpty { queue.wake(.readable) }
        return taken
    }

    /// What `take` would give, as long as nothing happens, whenever it is asked for so many events or more. Nil where each call
    /// changes what the next one gives, where others than the kernel change what is ready, and for more than `most` events.
    package func steadyEvents(_ most: Int) -> [UInt8]? {
        guard foreign == 0, ready.count <= most else { return nil }
        var writer = ByteWriter(capacity: ready.count * Epoll.eventSize)
        for item in ready {
            let special = Epoll.edgeTriggered | Epoll.oneShot | Epoll.exclusive | Epoll.wakeUp
            guard item.events & special == 0, !item.isDisabled else { return nil }
            let current = current(item)
            guard !current.isEmpty else { return nil }
            writer.put(current.rawValue)
            writer.put(item.data)
        }
        return writer.bytes
    }

    package func release(_ file: OpenFile) {
        for item in items.values { leave(item) }
        items = [:]
        ready = []
    }

    deinit {
        for item in items.values { leave(item) }
    }
}
