import Stub

/// Where things lie in a guest's address space.
package enum GuestLayout {
    /// The guest's own addresses end here.
    package static let taskSize = UInt(APUS_STUB_BASE)
    package static let pageSize: UInt = 4096
    /// Threads that one address space can hold.
    package static let maximumThreads = Int(APUS_MAX_THREADS)
    /// Commands that one answer can carry.
    package static let maximumCommands = Int(APUS_MAX_COMMANDS)
    /// The place among the local answers of the call that a stub has the host carry out at once.
    package static let localYield = Int(APUS_LOCAL_YIELD)
    /// How many local answers a process can have, the one at 0 left out.
    package static let localAnswers = Int(APUS_LOCAL_ANSWERS)
}
