internal import CHost
internal import TraceModel

/// What the tracer knows of one thread that it traces.
struct Tracee {
    var thread: Int32
    var process: Int32
    /// The call that it is in.
    var call: TracedCall?
    /// Whether its `exit` event is out.
    var hasExited = false
}

/// One stop or end of a traced thread, as wait(2) reports it.
enum Stop {
    case ended(WaitStatus)
    /// Entering or leaving a call.
    case call
    /// A new task, by any of the three events.
    case clone
    case exec
    /// On its way out; it can still be looked at.
    case exiting
    /// The whole group is stopped.
    case group(signal: Int32)
    /// The first stop of a new task, or the end of a group-stop.
    case resumed
    case signal(Int32)

    init(status: Int32) {
        let signal = status >> 8 & 0xff
        guard status & 0xff == 0x7f else {
            self = .ended(WaitStatus(rawValue: status))
            return
        }
        self =
            switch (status >> 16, signal) {
            case (1, _), (2, _), (3, _): .clone
            case (4, _): .exec
            case (6, _): .exiting
            // SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU
            case (128, 19...22): .group(signal: signal)
            case (128, _): .resumed
            case (_, 0x85): .call
            default: .signal(signal)
            }
    }
}
