internal import Stub

/// A path as stubs look it up: `Stub/names.c`.
package struct StubName: Sendable {
    package var words: InlineArray<10, UInt64> = .init(repeating: 0)
    /// Of the path, with its end.
    package var size: UInt32 = 0

    /// Nil for one that is too long, or empty.
    @inline(__always)
    package init?(_ path: Span<UInt8>) {
        guard path.count > 0, path.count < Int(APUS_NAME_WORDS) * 8 else { return nil }
        size = UInt32(path.count + 1)
        let whole = path.count / 8
        for index in 0..<whole {
            // All eight bytes are the path's.
            words[index] = unsafe path.bytes.unsafeLoadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        }
        var word: UInt64 = 0
        for index in stride(from: path.count - 1, through: 8 * whole, by: -1) { word = word << 8 | UInt64(path[index]) }
        if path.count & 7 != 0 { words[whole] = word }
    }

    /// `directory`: where the path begins.
    @inline(__always)
    package func hash(_ directory: UInt32, follows: Bool) -> UInt64 {
        var hash = UInt64(directory) | (follows ? 1 << 32 : 0)
        for index in 0..<Int(size + 7) / 8 {
            hash = (hash ^ words[index]) &* UInt64(APUS_NAME_FACTOR)
            hash ^= hash >> 32
        }
        return hash
    }
}

/// What a stub may say of a name without asking.
package struct NameStatus: Sendable {
    package let name: StubName
    package let directory: UInt32
    package let follows: Bool
    /// 0, or why there is nothing.
    package let error: Int32
    /// `struct stat`.
    package let status: InlineArray<18, UInt64>
    /// Until then it holds in any case, in ticks of the processor's clock.
    package let momentEnd: UInt64

    package init(
        _ name: StubName, in directory: UInt32, follows: Bool, error: Int32, status: InlineArray<18, UInt64>,
        momentEnd: UInt64
    ) {
        self.momentEnd = momentEnd
        (self.name, self.directory, self.follows) = (name, directory, follows)
        (self.error, self.status) = (error, status)
    }
}

extension StubProcess {
    /// Descriptors of which a stub can be told what stands in them.
    package static let nameDirectories = Int(APUS_NAME_DIRECTORIES)
    /// Where absolute paths begin for it, and those relative to the working directory.
    package static let nameHere = UInt32(APUS_NAME_HERE)
    /// Places for names.
    package static let names = Int(APUS_NAME_SETS) * Int(APUS_NAME_WAYS)
    package static let nameWays = Int(APUS_NAME_WAYS)

    /// The first place where a name of that hash can stand, and the others behind it.
    package static func namePlace(_ hash: UInt64) -> Int { Int(hash % UInt64(APUS_NAME_SETS)) * nameWays }

    private static let allNames = Int(APUS_NAMES_OFFSET) + (MemoryLayout<apus_names>.offset(of: \.names) ?? 0)
    private static let answered = Int(APUS_NAMES_OFFSET) + (MemoryLayout<apus_names>.offset(of: \.answered) ?? 0)

    /// In a place.
    private enum Place {
        static let generation = MemoryLayout<apus_name>.offset(of: \.generation) ?? 0
        static let directory = MemoryLayout<apus_name>.offset(of: \.directory) ?? 0
        static let follows = MemoryLayout<apus_name>.offset(of: \.follows) ?? 0
        static let until = MemoryLayout<apus_name>.offset(of: \.until) ?? 0
        static let error = MemoryLayout<apus_name>.offset(of: \.error) ?? 0
        static let size = MemoryLayout<apus_name>.offset(of: \.size) ?? 0
        static let name = MemoryLayout<apus_name>.offset(of: \.name) ?? 0
        static let status = MemoryLayout<apus_name>.offset(of: \.status) ?? 0
    }

    /// From now on the names hold that were told with this number; with 0 none.
    package func holdNames(_ generation: UInt32) { contexts.exchange(generation, at: Int(APUS_NAMES_HOLD_OFFSET)) }

    /// The lines of a place that will be written soon.
    @inline(__always)
    package func fetchName(at place: Int) {
        guard place >= 0, place < StubProcess.names else { return }
        let entry = StubProcess.allNames + place * MemoryLayout<apus_name>.size
        for line in stride(from: entry, to: entry + MemoryLayout<apus_name>.size, by: 64) {
            contexts.fetchToWrite(line)
        }
    }

    /// Tells of a name. The stub never sees a part of it. `version`: of the place's last content, 0 at first.
    /// - Returns: the version of this.
    package func setName(_ told: NameStatus, at place: Int, version: UInt32, generation: UInt32) -> UInt32 {
        guard place >= 0, place < StubProcess.names else { return version }
        let entry = StubProcess.allNames + place * MemoryLayout<apus_name>.size
        contexts.exchange(version | 1, at: entry)
        contexts.store(generation, at: entry + Place.generation)
        contexts.store(told.directory, at: entry + Place.directory)
        contexts.store(UInt32(told.follows ? 1 : 0), at: entry + Place.follows)
        // What was seen in this moment; in the last part of it a little longer.
        contexts.store(max(told.momentEnd, apus_ticks() &+ StubProcess.statusTicks), at: entry + Place.until)
        contexts.store(told.error, at: entry + Place.error)
        contexts.store(told.name.size, at: entry + Place.size)
        for index in 0..<Int(told.name.size + 7) / 8 {
            contexts.store(told.name.words[index], at: entry + Place.name + 8 * index)
        }
        if told.error == 0 {
            for index in 0..<18 { contexts.store(told.status[index], at: entry + Place.status + 8 * index) }
        }
        var next = (version | 1) &+ 1
        if next == 0 { next = 2 }
        contexts.exchange(next, at: entry)
        return next
    }

    /// What the stub knows the descriptor's directory by; 0 for nothing. Only while the process's one thread asks, or 0.
    package func setNameDirectory(_ number: Int, _ directory: UInt32) {
        guard number >= 0, number < StubProcess.nameDirectories else { return }
        contexts.store(directory, at: Int(APUS_NAMES_OFFSET) + 4 * number)
    }

    /// How many calls it has answered, ever, as it says.
    package var answeredNames: UInt32 {
        contexts.load(at: StubProcess.answered)
    }
}
