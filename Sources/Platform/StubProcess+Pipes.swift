package import LinuxABI
internal import Stub

/// Memory that the stubs of two processes share, with the kernel and with nobody else, for the pipes between them: `Stub/pipes.c`.
package final class PipeLink {
    private let memory: SharedMemory
    package static let pipes = Int(APUS_PIPE_LINK_PIPES)
    /// Where stubs map it, and as what.
    package static let address = UInt(APUS_STUB_PIPE_LINK)
    package static let size = UInt(APUS_PIPE_LINK_SIZE)

    /// Throws what the host says.
    package init() throws(Errno) { memory = try SharedMemory("apus-pipes", size: Int(APUS_PIPE_LINK_SIZE)) }

    /// To be handed to the two; -1 once both have it.
    package var descriptor: Int32 { memory.descriptor }
    package func closeDescriptor() { memory.closeDescriptor() }

    private func line(of pipe: Int) -> Int { pipe * MemoryLayout<apus_pipe_line>.size }
    private func place(_ path: PartialKeyPath<apus_pipe_line>, of pipe: Int) -> Int {
        line(of: pipe) + (MemoryLayout<apus_pipe_line>.offset(of: path) ?? 0)
    }

    /// The pipe is empty, and theirs who know the version.
    package func open(_ pipe: Int, version: UInt32) {
        memory.store(UInt8.max, at: place(\.writer_cpu, of: pipe))
        memory.store(UInt8.max, at: place(\.reader_cpu, of: pipe))
        memory.store(UInt32(0), at: place(\.writes, of: pipe))
        memory.exchangeLong(UInt64(version) << 32, at: line(of: pipe))
    }

    /// As a guest might: for tests.
    func overwrite(_ pipe: Int, _ word: UInt64, _ bytes: [UInt8]) {
        memory.write(bytes.span, at: Int(APUS_PIPE_PAGE) * (1 + pipe))
        memory.exchangeLong(word, at: line(of: pipe))
    }

    /// What stubs do from now on has not happened.
    /// - Returns: the bytes that nobody has read, and where in their page they begin; how often the writer has written, by its own
    ///   word. What nobody can have meant counts as none.
    package func close(_ pipe: Int, version: UInt32) -> (start: Int, bytes: [UInt8], writes: Int) {
        let word = memory.exchangeLong(0, at: line(of: pipe))
        let count = Int(memory.load(UInt32.self, at: place(\.writes, of: pipe)))
        let start = Int(word & 0xffff)
        let end = Int(word >> 16 & 0xffff)
        guard word >> 32 == UInt64(version), start < end, end <= Int(APUS_PIPE_PAGE) else { return (0, [], count) }
        return (start, memory.bytes(at: Int(APUS_PIPE_PAGE) * (1 + pipe) + start, count: end - start), count)
    }
}

/// Which descriptors of a process lead to pipes of its link.
package struct LocalPipeEnds: Sendable, Equatable {
    package struct End: Sendable, Equatable {
        package var number: Int32
        package var pipe: Int

        package init(number: Int32, pipe: Int) {
            self.number = number
            self.pipe = pipe
        }
    }

    package var reads: End?
    package var writes: End?

    package init() {}
}

extension StubProcess {
    private static func place(of path: PartialKeyPath<apus_local_pipes>) -> Int {
        Int(APUS_LOCAL_PIPES_OFFSET) + (MemoryLayout<apus_local_pipes>.offset(of: path) ?? 0)
    }

    /// Lets the stub read and write them by itself. What it was told before was taken back.
    package func setPipes(_ ends: LocalPipeEnds, version: UInt32) {
        contexts.store(ends.reads?.number ?? -1, at: StubProcess.place(of: \.reads))
        contexts.store(ends.writes?.number ?? -1, at: StubProcess.place(of: \.writes))
        contexts.store(UInt32(ends.reads?.pipe ?? 0), at: StubProcess.place(of: \.read_pipe))
        contexts.store(UInt32(ends.writes?.pipe ?? 0), at: StubProcess.place(of: \.write_pipe))
        contexts.exchange(version, at: StubProcess.place(of: \.version))
    }

    /// From now on it asks.
    package func withdrawPipes() { contexts.exchange(0, at: StubProcess.place(of: \.version)) }
}
