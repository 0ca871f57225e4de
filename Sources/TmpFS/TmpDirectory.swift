internal import VFS

/// What a directory of a tree in memory holds, in the order of making. A name that is not here stands in the lower
/// directory, unless it is hidden.
final class TmpDirectory {
    private var children: [FileName: TmpNode] = [:]
    /// Names that are the tree's own, by when they came; those that only show the lower directory's are not here.
    private var order: [FileName: UInt64] = [:]
    private var nextOrder: UInt64 = 0
    private(set) var hidden: Set<FileName> = []
    /// The lower directory's names are shown but for the hidden ones.
    let showsLower: Bool

    init(showsLower: Bool) { self.showsLower = showsLower }

    /// How many names are the tree's own.
    var count: Int { order.count }

    subscript(name: FileName) -> TmpNode? { children[name] }

    /// True if the name is the tree's own, and not only shown.
    func owns(_ name: FileName) -> Bool { order[name] != nil }

    /// True if a name was added or taken away here.
    var isChanged: Bool { !order.isEmpty || !hidden.isEmpty }

    /// The nodes that were looked up or made here.
    var known: some Collection<TmpNode> { children.values }

    /// What the name showed is not there any more.
    func forget(_ name: FileName) { children[name] = nil }

    /// Keeps the node that shows a lower file.
    func remember(_ name: FileName, _ node: TmpNode) { children[name] = node }

    func insert(_ name: FileName, _ node: TmpNode) {
        children[name] = node
        nextOrder += 1
        order[name] = nextOrder
        if showsLower { hidden.insert(name) }
    }

    func remove(_ name: FileName) {
        children[name] = nil
        order[name] = nil
        if showsLower { hidden.insert(name) }
    }

    /// The tree's own names with their nodes, oldest first.
    var own: [(name: FileName, node: TmpNode)] {
        order.sorted { $0.value < $1.value }.compactMap { name, _ in children[name].map { (name, $0) } }
    }
}
