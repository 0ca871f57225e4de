internal import Platform
internal import VFS

/// What a process's stub was told of its descriptors, and which pages of files are mapped for it: `Stub/files.c` and
/// `docs/decisions/0029-reads-without-the-kernel.md`.
///
/// It belongs to one address space, and to the one descriptor table that all threads there use. The table takes back what
/// was told of a number before the number means something else.
package final class LocalFiles {
    private let tellStub: (_ number: Int, _ file: LocalFile?) -> Void
    private(set) var table: FileTable?
    private var entries: [Entry] = []
    private var next = StubProcess.pages.lowerBound
    /// How many stretches are mapped, or being mapped.
    private var mapped = 0
    /// Mapped for nobody any more.
    private var left: [Range<UInt>] = []

    private struct Entry {
        var told: LocalFile?
        var window: Window?
    }

    /// Where pages of a file are mapped from its beginning on.
    struct Window {
        let series: UInt64
        let range: Range<UInt>
    }

    init(_ tellStub: @escaping (_ number: Int, _ file: LocalFile?) -> Void) { self.tellStub = tellStub }

    /// From now on what it tells is of this table's descriptors.
    func bind(to new: FileTable) {
        guard table !== new else { return }
        release()
        new.local?.release()
        table = new
        new.local = self
    }

    /// Nothing holds any more that the stub was told.
    package func release() {
        for number in entries.indices { withdraw(number) }
        table?.local = nil
        table = nil
    }

    /// The number is about to mean something else.
    package func withdraw(_ number: Int) {
        guard number < entries.count else { return }
        let old = entries[number]
        entries[number] = Entry()
        if old.told != nil { tellStub(number, nil) }
        if let window = old.window { left.append(window.range) }
    }

    // MARK: Pages

    func window(_ number: Int) -> Window? { number < entries.count ? entries[number].window : nil }

    /// Room for a file's pages. Nil where all has been given away.
    func place(_ length: UInt) -> Range<UInt>? {
        guard length > 0, length <= StubProcess.pages.upperBound - StubProcess.pages.lowerBound else { return nil }
        // Not the same places again soon: who still reads there would read another file, and only then see it.
        if length > StubProcess.pages.upperBound - next {
            guard mapped == 0 else { return nil }
            next = StubProcess.pages.lowerBound
        }
        defer {
            next += length
            mapped += 1
        }
        return next..<next + length
    }

    /// Pages of a series are mapped there from now on; what was mapped for the number is left.
    func set(_ window: Window, for number: Int) {
        withdraw(number)
        while entries.count <= number { entries.append(Entry()) }
        entries[number].window = window
        table?.cards?.mayNotEnd(number)
    }

    /// Nothing could be mapped there.
    func forget() { mapped -= 1 }

    /// What is mapped there is of no use.
    func leave(_ range: Range<UInt>) { left.append(range) }

    package var hasLeft: Bool { !left.isEmpty }

    /// What is to be unmapped.
    func takeLeft() -> [Range<UInt>] {
        defer { left = [] }
        mapped -= left.count
        return left
    }

    // MARK: Telling

    func tell(_ file: LocalFile, of number: Int) {
        while entries.count <= number { entries.append(Entry()) }
        guard entries[number].told != file else { return }
        entries[number].told = file
        tellStub(number, file)
        table?.cards?.mayNotEnd(number)
    }

    /// The kernel must take something back, or unmap it, before the number ends.
    func concerns(_ number: Int) -> Bool {
        guard number < entries.count else { return false }
        return entries[number].told != nil || entries[number].window != nil
    }
}
