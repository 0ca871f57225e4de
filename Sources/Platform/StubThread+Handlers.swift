internal import Stub

/// What a thread's stub has to know to lay the frames of handlers itself: `Stub/signal.c`.
package struct HandlerFacts {
    /// The thread's number, as `tgkill(2)` names it.
    package var thread: Int32
    /// `sigaltstack(2)`.
    package var stackBase: UInt
    package var stackSize: UInt
    package var stackFlags: UInt32
    /// The last fault, as every frame shows it.
    package var faultError: UInt
    package var faultTrap: UInt
    package var faultAddress: UInt

    package init(thread: Int32) {
        self.thread = thread
        (stackBase, stackSize, stackFlags) = (0, 0, 0)
        (faultError, faultTrap, faultAddress) = (0, 0, 0)
    }
}

/// What the thread does on a signal that it sends to itself.
package struct OwnAction {
    package var signal: Int32
    package var handler: UInt
    package var flags: UInt
    package var restorer: UInt
    package var mask: UInt64

    package init(signal: Int32, handler: UInt, flags: UInt, restorer: UInt, mask: UInt64) {
        self.signal = signal
        self.handler = handler
        self.flags = flags
        self.restorer = restorer
        self.mask = mask
    }
}

extension StubThread {
    /// Within the block.
    private enum Handlers {
        static func offset(_ path: PartialKeyPath<apus_handlers>) -> Int {
            Cold.handlers + (MemoryLayout<apus_handlers>.offset(of: path) ?? 0)
        }
        static let isKnown = offset(\.is_known)
        static let thread = offset(\.thread)
        static let stackBase = offset(\.stack_base)
        static let stackSize = offset(\.stack_size)
        static let stackFlags = offset(\.stack_flags)
        static let faultError = offset(\.fault_error)
        static let faultTrap = offset(\.fault_trap)
        static let faultAddress = offset(\.fault_address)
        static let actions = offset(\.actions)

        static func action(_ index: Int) -> Int { actions + index * MemoryLayout<apus_own_action>.size }
    }

    /// From now on the stub may return from handlers, while it may change the mask. For a thread that is in the kernel.
    package func leave(_ facts: HandlerFacts) {
        guard traced == nil else { return }
        if handlersAreOld { forgetHandlers() }
        memory.store(facts.thread, at: cold + Handlers.thread)
        memory.store(facts.stackBase, at: cold + Handlers.stackBase)
        memory.store(facts.stackSize, at: cold + Handlers.stackSize)
        memory.store(facts.stackFlags, at: cold + Handlers.stackFlags)
        memory.store(facts.faultError, at: cold + Handlers.faultError)
        memory.store(facts.faultTrap, at: cold + Handlers.faultTrap)
        memory.store(facts.faultAddress, at: cold + Handlers.faultAddress)
        memory.store(UInt32(1), at: cold + Handlers.isKnown)
    }

    /// And may enter this one. The last few are kept.
    package func leave(_ action: OwnAction) {
        guard traced == nil, !handlersAreOld else { return }
        let count = Int(APUS_OWN_ACTIONS)
        let known = (0..<count).first { memory.load(Int32.self, at: cold + Handlers.action($0)) == action.signal }
        let index = known ?? nextOwnAction
        if known == nil { nextOwnAction = (index + 1) % count }
        let entry = cold + Handlers.action(index)
        memory.store(action.signal, at: entry)
        memory.store(action.handler, at: entry + 8)
        memory.store(action.flags, at: entry + 16)
        memory.store(action.restorer, at: entry + 24)
        memory.store(action.mask, at: entry + 32)
    }

    /// What was left is not so any more: the stub asks from now on, wherever the thread is.
    package func withdrawHandlers() {
        handlersAreOld = true
        recallMask()
    }

    func forgetHandlers() {
        handlersAreOld = false
        memory.store(UInt32(0), at: cold + Handlers.isKnown)
        for index in 0..<Int(APUS_OWN_ACTIONS) { memory.store(Int32(0), at: cold + Handlers.action(index)) }
    }
}
