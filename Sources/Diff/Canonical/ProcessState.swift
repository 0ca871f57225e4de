/// What a descriptor was opened from.
struct OpenedFile {
    /// The last part of the path.
    var name: String
    /// The path in full, as far as the calls tell; nil for what has none.
    var path: String?
    /// Whether it is a pipe's or socket's end.
    var isStream = false
    /// Counts openings, so that the latest of several is known.
    var order = 0

    /// Whether the kernel makes the file's text when it is read.
    var isGenerated: Bool { path.map { $0.hasPrefix("/proc/") || $0.hasPrefix("/sys/") } ?? false }
}

/// What the canonical form remembers of a process: where things are mapped, what its descriptors were opened from, and
/// which signals it ignores.
final class ProcessState {
    var space = AddressSpace()
    private var files: [Int32: OpenedFile] = [:]
    /// By signal: the handler's address; 0 is the default, 1 ignores it.
    private var handlers: [Int32: UInt64] = [:]
    private var openings = 0

    init() {}

    /// A copy for fork(2).
    init(copying other: ProcessState) {
        space = other.space
        files = other.files
        handlers = other.handlers
        openings = other.openings
        generated = other.generated
    }

    /// The last part of the path that a descriptor was opened by.
    func file(_ descriptor: Int32) -> String? { files[descriptor]?.name }

    /// The path that a descriptor was opened by.
    func path(_ descriptor: Int32) -> String? { files[descriptor]?.path }

    /// The path of the latest opened file whose text the kernel makes, while it is open.
    private(set) var generated: String?

    /// Whether a descriptor is a pipe's or socket's end.
    func isStream(_ descriptor: Int32) -> Bool { files[descriptor]?.isStream ?? false }

    func openStream(_ descriptor: Int32) { set(descriptor, OpenedFile(name: "stream", isStream: true)) }

    /// What a descriptor is found to be: fifos have names, and standard input has none that is known.
    func learn(_ descriptor: Int32, mode: UInt32) {
        // S_IFIFO, S_IFSOCK
        guard [0x1000, 0xc000].contains(mode & 0xf000) else { return }
        var file = files[descriptor] ?? OpenedFile(name: "stream")
        file.isStream = true
        set(descriptor, file)
    }

    /// `path` is what the call was given; `full` is the path that it leads to, if it is known.
    func open(_ descriptor: Int32, _ path: [UInt8], full: String? = nil) {
        let name = path.split(separator: UInt8(ascii: "/")).last ?? []
        openings += 1
        set(descriptor, OpenedFile(name: String(decoding: name, as: UTF8.self), path: full, order: openings))
    }

    func duplicate(_ old: Int32, _ new: Int32) { set(new, files[old]) }
    func close(_ descriptor: Int32) { set(descriptor, nil) }

    private func set(_ descriptor: Int32, _ file: OpenedFile?) {
        let former = files[descriptor]
        files[descriptor] = file
        guard former?.isGenerated ?? false || file?.isGenerated ?? false else { return }
        generated = files.values.filter(\.isGenerated).max { $0.order < $1.order }?.path
    }

    func setHandler(_ signal: Int32, _ handler: UInt64) { handlers[signal] = handler }

    /// Whether a signal has a handler.
    func isHandled(_ signal: Int32) -> Bool { handlers[signal] ?? 0 > 1 }

    /// Whether a signal is ignored, by its handler or by default: SIGCHLD, SIGCONT, SIGURG and SIGWINCH.
    func ignores(_ signal: Int32) -> Bool {
        let handler = handlers[signal] ?? 0
        return handler == 1 || (handler == 0 && [17, 18, 23, 28].contains(signal))
    }

    /// After execve(2) nothing is mapped by a call any more and no handler is left; descriptors and what is ignored stay.
    func replaceProgram() {
        space = AddressSpace()
        handlers = handlers.filter { $0.value == 1 }
        // Those that are closed by execve(2) are not known; a program that reads such a text does not exec meanwhile.
        generated = nil
    }
}
