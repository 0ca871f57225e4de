import Foundation

/// Starts processes on a thread that lives as long as the tests and does nothing else. A platform reaps whatever children its
/// thread has, tests share threads, and a test that waits gives its own away: its children must not be anybody's prey.
final class Spawner: @unchecked Sendable {
    static let shared = Spawner()

    /// Guards `jobs`.
    private let condition = NSCondition()
    private var jobs: [@Sendable () -> Void] = []

    private init() {
        Thread { [self] in
            while true { next()() }
        }.start()
    }

    /// Runs a body on the thread, and hands on what it returns or throws.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            condition.lock()
            jobs.append { continuation.resume(with: Result { try body() }) }
            condition.signal()
            condition.unlock()
        }
    }

    private func next() -> @Sendable () -> Void {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty { condition.wait() }
        return jobs.removeFirst()
    }
}
