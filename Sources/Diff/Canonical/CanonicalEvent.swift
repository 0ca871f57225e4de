/// What an event is, with everything in it that may rightly differ replaced by symbols. Strings are the interner's
/// numbers.
struct CanonicalShape: Hashable {
    enum Kind: UInt8 {
        case call, interrupted, unfinished, signal, stopped, clone, exec, exit
    }

    var kind: Kind
    /// The call's or signal's name.
    var name: UInt32
    /// The error that a call returned; 0 for none.
    var errno: Int32
    /// Whether it moves bytes through a pipe or socket: how many at once depends on the other end's timing.
    var isStream = false
    var fields: [CanonicalField]
}

/// One value of an event and where in it it stands.
struct CanonicalField: Hashable {
    enum Side: UInt8 {
        /// The program gave it.
        case input
        /// The kernel gave it.
        case output
        case result
    }

    var path: UInt32
    var value: UInt32
    var side: Side
    /// Whether the value is a buffer's or string's bytes.
    var isBytes: Bool
}

/// An event of a canonical trace.
struct CanonicalEvent {
    var sequence: UInt64
    var shape: UInt32
    /// The index of the thread that a clone edge leads to; -1 for anything else.
    var child: Int32 = -1
    /// The file that a call is about, by its path argument or the one its descriptor was opened by, as the interner's
    /// number; nil where there is none or it is not known.
    var path: UInt32?
    /// The latest opened file below /proc or /sys that the process has open meanwhile, likewise.
    var reading: UInt32?
    /// Of a signal that others send, whenever they like.
    var signal: AsynchronousSignal?
}

/// A signal that arrives when its sender, a child or a clock wants it to, not when the thread does something.
struct AsynchronousSignal: Hashable {
    /// Who sent it, by its label, as the interner's number; nil for the kernel or somebody outside.
    var sender: UInt32?
    /// Whether a handler runs.
    var isHandled: Bool
}

/// One thread's events, in order.
struct CanonicalThread {
    var label: String
    var events: [CanonicalEvent] = []
}

/// A run in canonical form. The first thread is the one that it began with.
struct CanonicalTrace {
    var threads: [CanonicalThread] = []
    var eventCount = 0
    /// How often each call returned or was left unfinished, by the interner's number of its name.
    var calls: [UInt32: Int] = [:]
}
