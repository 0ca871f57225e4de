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

    /// The guest's floating-point state, as an XSAVE area in standard format; nil when the guest has forged the pointer to it.
    package func readFloatingPoint() -> [UInt8]? {
        traced?.saveFloatingPoint()
        let size = process.platform.floatingPointSize
        let pointer: UInt64 = memory.load(at: cold + Cold.fpPointer)
        let block = UInt64(APUS_STUB_CONTEXTS) + UInt64(cold)
        guard pointer >= block + UInt64(APUS_FP_AREA), pointer % 64 == 0,
            pointer <= block + UInt64(APUS_BLOCK_SIZE) - UInt64(size)
        else { return nil }
        return memory.bytes(at: cold + Int(pointer - block), count: size)
    }
}
