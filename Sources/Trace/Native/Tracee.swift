internal import CHost
internal import TraceModel

/// What the tracer knows of one thread that it traces.
struct Tracee {
    var thread: Int32
    var process: Int32
    /// The call that it is in.
    var call: TracedCall?
    /// Whether that call may make a task which has not been announced yet.
    var isMaking = false
    /// Whether its `exit` event is out.
    var hasExited = false
    /// Whether it was left in a group-stop.
    var isListening = false
}

/// A task that stopped or ended before the event that says whose it is.
///
/// wait(2) keeps no order between a new task's first stop and its maker's PTRACE_EVENT_CLONE, and a maker that is killed
/// between making it and saying so never announces it.
struct Newcomer {
    /// Its thread group; 0 if it was gone before anybody could look.
    var process: Int32
    /// Its parent process, while that lived.
    var parent: Int32
    /// A stop that it stands in until its maker is known.
    var stop: Stop?
    /// Its last words, which wait for the maker's: unlike a stop they may not hold up the task itself, since its maker may
    /// be a leader that is dead without having been reported, and is reported only when the task is gone.
    var exit: WaitStatus?
    var end: WaitStatus?
    /// Whether it is a thread that nobody will announce any more: what killed its maker kills it before it has run.
    var isDoomed = false

    func isThread(_ number: Int32) -> Bool { process != 0 && process != number }
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
