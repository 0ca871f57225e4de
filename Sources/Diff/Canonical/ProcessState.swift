/// What the canonical form remembers of a process: where things are mapped, what its descriptors were opened from, and
/// which signals it ignores.
final class ProcessState {
    var space = AddressSpace()
    private var files: [Int32: String] = [:]
    /// By signal: the handler's address; 0 is the default, 1 ignores it.
    private var handlers: [Int32: UInt64] = [:]

    init() {}

    /// A copy for fork(2).
    init(copying other: ProcessState) {
        space = other.space
        files = other.files
        handlers = other.handlers
    }

    /// The last part of the path that a descriptor was opened by.
    func file(_ descriptor: Int32) -> String? { files[descriptor] }

    /// Whether a descriptor is a pipe's or socket's end.
    func isStream(_ descriptor: Int32) -> Bool { files[descriptor] == ProcessState.stream }

    func openStream(_ descriptor: Int32) { files[descriptor] = ProcessState.stream }

    /// No last part of a path has a slash.
    private static let stream = "/"

    func open(_ descriptor: Int32, _ path: [UInt8]) {
        let name = path.split(separator: UInt8(ascii: "/")).last ?? []
        files[descriptor] = String(decoding: name, as: UTF8.self)
    }

    func duplicate(_ old: Int32, _ new: Int32) { files[new] = files[old] }
    func close(_ descriptor: Int32) { files[descriptor] = nil }

    func setHandler(_ signal: Int32, _ handler: UInt64) { handlers[signal] = handler }

    /// Whether a signal is ignored, by its handler or by default: SIGCHLD, SIGCONT, SIGURG and SIGWINCH.
    func ignores(_ signal: Int32) -> Bool {
        let handler = handlers[signal] ?? 0
        return handler == 1 || (handler == 0 && [17, 18, 23, 28].contains(signal))
    }

    /// After execve(2) nothing is mapped by a call any more and no handler is left; descriptors and what is ignored stay.
    func replaceProgram() {
        space = AddressSpace()
        handlers = handlers.filter { $0.value == 1 }
    }
}
