/// What the canonical form remembers of a process: where things are mapped, and what its descriptors were opened from.
final class ProcessState {
    var space = AddressSpace()
    private var files: [Int32: String] = [:]

    init() {}

    /// A copy for fork(2).
    init(copying other: ProcessState) {
        space = other.space
        files = other.files
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

    /// After execve(2) nothing is mapped by a call any more; descriptors stay.
    func replaceProgram() { space = AddressSpace() }
}
