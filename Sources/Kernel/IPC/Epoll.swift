package import LinuxABI
package import VFS

/// An epoll instance: what is watched, and what of it may be ready. See `epoll(7)`.
package final class Epoll: FileOperations {
    /// A registration is of a descriptor number and the description behind it.
    private struct Key: Hashable {
        let number: FileNumber
        let file: ObjectIdentifier
    }

    private final class Item: Waiter {
        unowned let epoll: Epoll
        let number: FileNumber
        /// Weak: the last descriptor's end takes the registration with it.
        weak var file: OpenFile?
        var events: UInt32
        var data: UInt64
        var isQueued = false
        var isDisabled = false

        init(_ epoll: Epoll, _ number: FileNumber, _ file: OpenFile, events: UInt32, data: UInt64) {
            self.epoll = epoll
            self.number = number
            self.file = file
            self.events = events
            self.data = data
        }

        func fire(_ queue: WaitQueue, _ events: PollEvents) {
            // What was not asked for is no news, or edges would be seen where there are none.
            guard !events.isDisjoint(with: PollEvents(rawValue: self.events).union(Epoll.always)) else { return }
            epoll.enqueue(self)
        }
    }

    package static let edgeTriggered: UInt32 = 1 << 31
    package static let oneShot: UInt32 = 1 << 30
    package static let exclusive: UInt32 = 1 << 28
    /// What is reported whether asked for or not.
    private static let always: PollEvents = [.error, .hangUp]

    private var items: [Key: Item] = [:]
    private var ready: [Item] = []
    private let queue = WaitQueue()
    private let node: any Inode

    package init(node: any Inode) { self.node = node }

    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { queue }

    package func poll(_ file: OpenFile) -> PollEvents { hasReady ? .readable : [] }

    private var hasReady: Bool {
        ready.contains { item in !item.isDisabled && !current(item).isEmpty }
    }

    private func current(_ item: Item) -> PollEvents {
        guard let file = item.file else { return [] }
        let wanted = PollEvents(rawValue: item.events & 0xffff).union(Epoll.always)
        return file.operations.poll(file).intersection(wanted)
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

    /// Throws EEXIST, EPERM for a file that is always ready, ELOOP for circles and deep nesting.
    package func add(_ number: FileNumber, _ file: OpenFile, events: UInt32, data: UInt64) throws(Errno) {
        if let other = file.operations as? Epoll {
            guard other !== self else { throw .EINVAL }
            guard events & Epoll.exclusive == 0 else { throw .EINVAL }
            guard !other.reaches(self, depth: 0), other.depth(0) < 4 else { throw .ELOOP }
        }
        if let item = items[key(number, file)], item.file != nil { throw .EEXIST }
        guard let source = file.operations.waitQueue else { throw .EPERM }
        let item = Item(self, number, file, events: events, data: data)
        items[key(number, file)] = item
        source.add(item, exclusive: events & Epoll.exclusive != 0)
        if !current(item).isEmpty { enqueue(item) }
    }

    package func modify(_ number: FileNumber, _ file: OpenFile, events: UInt32, data: UInt64) throws(Errno) {
        guard let item = items[key(number, file)], item.file != nil else { throw .ENOENT }
        guard item.events & Epoll.exclusive == 0, events & Epoll.exclusive == 0 else { throw .EINVAL }
        item.events = events
        item.data = data
        item.isDisabled = false
        if !current(item).isEmpty { enqueue(item) }
    }

    package func remove(_ number: FileNumber, _ file: OpenFile) throws(Errno) {
        guard let item = items.removeValue(forKey: key(number, file)), item.file != nil else { throw .ENOENT }
        file.operations.waitQueue?.remove(item)
        ready.removeAll { $0 === item }
    }

    private func reaches(_ target: Epoll, depth: Int) -> Bool {
        guard depth < 6 else { return true }
        for item in items.values {
            guard let inner = item.file?.operations as? Epoll else { continue }
            if inner === target || inner.reaches(target, depth: depth + 1) { return true }
        }
        return false
    }

    /// How many epolls stand below each other here.
    private func depth(_ level: Int) -> Int {
        guard level < 6 else { return level }
        return 1 + (items.values.compactMap { ($0.file?.operations as? Epoll)?.depth(level + 1) }.max() ?? 0)
    }

    // MARK: epoll_wait

    /// Takes at most `limit` events; level-triggered ones stay for the next call, at the end of the line.
    package func take(_ limit: Int) -> [(events: UInt32, data: UInt64)] {
        var taken: [(events: UInt32, data: UInt64)] = []
        let waiting = ready
        ready.removeAll(keepingCapacity: true)
        var again: [Item] = []
        for (index, item) in waiting.enumerated() {
            guard taken.count < limit else {
                ready.append(contentsOf: waiting[index...])
                break
            }
            item.isQueued = false
            guard item.file != nil else {
                items = items.filter { $0.value !== item }
                continue
            }
            guard !item.isDisabled else { continue }
            let events = current(item)
            guard !events.isEmpty else { continue }
            taken.append((events.rawValue, item.data))
            if item.events & Epoll.oneShot != 0 {
                item.isDisabled = true
            } else if item.events & Epoll.edgeTriggered == 0 {
                item.isQueued = true
                again.append(item)
            }
        }
        ready.append(contentsOf: again)
        return taken
    }

    package func release(_ file: OpenFile) {
        for item in items.values { item.file?.operations.waitQueue?.remove(item) }
        items = [:]
        ready = []
    }
}
