/// The words of the overlay and what they become in LinuxABI's types.
enum Vocabulary {
    /// `ValueRole`'s cases.
    static let roles: [String: String] = [
        "int": "integer", "flags": "flags", "fd": "fileDescriptor", "pid": "processID", "uid": "userID",
        "gid": "groupID", "address": "address", "signal": "signal", "size": "size", "offset": "offset", "mode": "mode",
        "device": "device", "time": "time", "path": "path", "text": "string", "buffer": "buffer",
        "struct": "structure", "command": "command",
    ]

    /// `ResultMeaning`'s cases.
    static let results: [String: String] = [
        "zero": "zero", "fd": "fileDescriptor", "bytes": "bytes", "pid": "processID", "address": "address",
        "count": "count", "uid": "userID", "gid": "groupID", "value": "value", "never": "never",
    ]

    /// `Extent`'s cases without and with a parameter or a number.
    static let extents: Set<String> = ["none", "string", "strings", "msghdr"]
    static let extentsWithArgument: Set<String> = [
        "fixed", "bytes", "array", "iovec", "result", "results", "bits", "pages",
    ]
}
