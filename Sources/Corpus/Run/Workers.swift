internal import Foundation
internal import Synchronization

/// Does many things at a time, each on one of a few threads.
///
/// Threads and not tasks: each blocks on the program that it runs, and a program that is started ends with the thread
/// that started it.
package struct Workers {
    private let count: Int

    package init(_ count: Int) { self.count = max(1, count) }

    /// Calls `body` for each item, in order as far as the threads allow, and returns when all are done.
    package func run<Item: Sendable>(_ items: [Item], _ body: @escaping @Sendable (Item) -> Void) {
        let next = Cursor()
        let group = DispatchGroup()
        for _ in 0..<min(count, items.count) {
            group.enter()
            let thread = Thread {
                while let index = next.take(below: items.count) { body(items[index]) }
                group.leave()
            }
            // The comparison of long traces recurses no deeper than its data, but compilers of regular expressions may.
            thread.stackSize = 8 << 20
            thread.start()
        }
        group.wait()
    }

    private final class Cursor: Sendable {
        private let next = Mutex(0)

        func take(below count: Int) -> Int? {
            next.withLock { next in
                guard next < count else { return nil }
                next += 1
                return next - 1
            }
        }
    }
}
