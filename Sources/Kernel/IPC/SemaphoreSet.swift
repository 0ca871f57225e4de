package import LinuxABI
package import VFS

/// A set of System V semaphores. See `semop(2)`.
package final class SemaphoreSet: SystemVObject {
    package struct Operation {
        package let index: Int
        package let change: Int32
        package let waits: Bool
        package let isUndone: Bool

        package init(index: Int, change: Int32, waits: Bool, isUndone: Bool) {
            self.index = index
            self.change = change
            self.waits = waits
            self.isUndone = isUndone
        }
    }

    /// Why a list of operations was not carried out.
    package enum Obstacle {
        case wait(Operation)
        case error(Errno)
    }

    private struct Sleeper {
        weak var thread: GuestThread?
        let operation: Operation
    }

    /// `SEMVMX`
    package static let highest: Int32 = 32767

    package var permission: IPCPermission
    package private(set) var values: [Int32]
    package private(set) var processes: [Int32]
    package var operationTime: Int64 = 0
    package var changeTime: Int64
    /// What is added when a process ends.
    private var undo: [ObjectIdentifier: [Int: Int32]] = [:]
    private var sleepers: [ObjectIdentifier: Sleeper] = [:]
    /// Woken when a value has changed, or the set goes.
    package let changes = WaitQueue()

    package init(_ permission: IPCPermission, count: Int, now: Int64) {
        self.permission = permission
        values = [Int32](repeating: 0, count: count)
        processes = values
        changeTime = now
    }

    /// Carries out all operations or none. Their indices are those of the set.
    package func perform(_ operations: [Operation], for process: Process) -> Obstacle? {
        var changed = values
        let key = ObjectIdentifier(process)
        var adjustments = undo[key] ?? [:]
        for operation in operations {
            let value = changed[operation.index]
            if operation.change == 0 {
                guard value == 0 else { return .wait(operation) }
                continue
            }
            let result = value + operation.change
            guard result >= 0 else { return .wait(operation) }
            guard result <= SemaphoreSet.highest else { return .error(.ERANGE) }
            changed[operation.index] = result
            if operation.isUndone {
                let adjustment = adjustments[operation.index, default: 0] - operation.change
                guard abs(adjustment) <= SemaphoreSet.highest else { return .error(.ERANGE) }
                adjustments[operation.index] = adjustment
            }
        }
        let isChanged = changed != values
        values = changed
        for operation in operations { processes[operation.index] = process.id.rawValue }
        if operations.contains(where: \.isUndone) {
            undo[key] = adjustments
            process.undoesSemaphores = true
        }
        if isChanged { changes.wakeAll() }
        return nil
    }

    package func sleeps(_ thread: GuestThread, on operation: Operation) {
        sleepers[ObjectIdentifier(thread)] = Sleeper(thread: thread, operation: operation)
    }

    package func wakes(_ thread: GuestThread) { sleepers[ObjectIdentifier(thread)] = nil }

    /// How many threads wait for the semaphore to grow, or to be zero.
    package func waiting(at index: Int, forZero: Bool) -> Int {
        sleepers.values.lazy.filter {
            $0.operation.index == index && ($0.operation.change == 0) == forZero && $0.thread?.state == .parked
        }.count
    }

    /// `SETVAL`, `SETALL`: what was to be undone is forgotten.
    package func set(_ new: [Int: Int32], by process: Process) {
        for (index, value) in new where values.indices.contains(index) {
            values[index] = value
            processes[index] = process.id.rawValue
            for key in undo.keys { undo[key]?[index] = nil }
        }
        changes.wakeAll()
    }

    /// The process has ended.
    func undo(of process: Process) {
        guard let adjustments = undo.removeValue(forKey: ObjectIdentifier(process)) else { return }
        for (index, adjustment) in adjustments where adjustment != 0 {
            values[index] = max(0, min(SemaphoreSet.highest, values[index] + adjustment))
            processes[index] = process.id.rawValue
        }
        changes.wakeAll()
    }
}
