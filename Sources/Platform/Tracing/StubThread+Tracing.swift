internal import Stub

/// What `TracedThread` looks at of the shared state.
extension StubThread {
    /// True if one of the answer's commands was not carried out.
    var commandsHaveFailed: Bool {
        let count = min(Int(memory.load(UInt32.self, at: cold + Cold.commandCount)), Int(APUS_MAX_COMMANDS))
        return (0..<count).contains { index in
            let offset = cold + Cold.commands + index * MemoryLayout<apus_command>.size + 56
            return (-4095..<0).contains(memory.load(Int64.self, at: offset))
        }
    }
}
