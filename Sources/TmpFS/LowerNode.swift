package import LinuxABI
package import VFS

/// A file of a read-only file system below a tree in memory: what a node of the tree shows until it is changed.
///
/// A tree without lower nodes is a tmpfs; with them it is a memory overlay.
package protocol LowerNode: AnyObject {
    var kind: FileKind { get }
    func attributes() throws(Errno) -> FileAttributes
    /// What a directory's entry leads to now. Throws ENOENT.
    func attributes(of name: FileName) throws(Errno) -> FileAttributes
    /// What stands there, and what `attributes` of it would say now. Throws ENOENT.
    func lookup(_ name: FileName) throws(Errno) -> (node: any LowerNode, attributes: FileAttributes)
    func entries() throws(Errno) -> [DirectoryEntry]
    /// The same, packed.
    func listing() throws(Errno) -> DirectoryListing
    func readLink() throws(Errno) -> [UInt8]
    /// A host descriptor, open read-only, that the caller closes.
    func open() throws(Errno) -> Int32
}
