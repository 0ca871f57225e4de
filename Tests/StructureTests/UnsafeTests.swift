import Testing

@Suite("Unsafe code")
struct UnsafeTests {
    /// Where `unsafe` may stand: close to C, to shared memory, or to another process.
    static let rooms = [
        "Sources/HostSystem/", "Sources/Platform/", "Sources/Trace/Native/", "Sources/Inspect/",
    ]
    /// How far above an `unsafe` its reason may stand, in lines.
    static let reach = 3

    @Test("unsafe stays in its rooms")
    func rooms() throws {
        for file in try Repository.swiftFiles(below: "Sources") {
            guard !UnsafeTests.rooms.contains(where: { file.path.hasPrefix($0) }) else { continue }
            let places = UnsafeTests.places(in: file)
            #expect(places.isEmpty, "\(places.map { "\(file):\($0 + 1)" })")
        }
    }

    @Test("a line above each unsafe says why it holds")
    func reasons() throws {
        var bare: [String] = []
        for file in try Repository.swiftFiles(below: "Sources") {
            bare += UnsafeTests.bare(in: file).map { "\(file):\($0 + 1): \(file.code[$0])" }
        }
        #expect(bare.isEmpty, "no reason within \(UnsafeTests.reach) lines above:\n\(bare.joined(separator: "\n"))")
    }

    @Test("a reason serves the unsafe lines that follow it closely, and no others")
    func reasonsReach() {
        let file = SourceFile(
            path: "Sources/X/x.swift",
            text: """
                // Holds: the buffer outlives the call.
                let a = unsafe f()
                let b = unsafe g()



                let c = unsafe h()
                let d = "unsafe"  // unsafe in words only
                nonisolated(unsafe) var e = 0
                """)
        #expect(UnsafeTests.places(in: file) == [1, 2, 6, 8])
        #expect(UnsafeTests.bare(in: file) == [6])
    }

    /// The lines, from 0, whose code says `unsafe`.
    static func places(in file: SourceFile) -> [Int] {
        file.code.indices.filter { file.code[$0].contains(/\bunsafe\b/) }
    }

    /// The lines with an `unsafe` that nothing explains: neither a comment close above it nor an explained neighbour.
    static func bare(in file: SourceFile) -> [Int] {
        var explained: Int?
        return places(in: file).filter { line in
            let window = max(0, line - reach)...line
            let hasComment = window.contains { !file.comments[$0].allSatisfy(\.isWhitespace) }
            let hasNeighbour = explained.map { window.contains($0) } ?? false
            if hasComment || hasNeighbour { explained = line }
            return !hasComment && !hasNeighbour
        }
    }
}
