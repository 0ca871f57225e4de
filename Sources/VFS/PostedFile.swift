package import LinuxABI

/// Who writes files without asking, and posts what it has written.
package protocol PostingWriter: AnyObject {
    /// It does so no more, and everything that it has posted is in the files.
    func withdraw()
}

/// A regular file that processes may write without asking, while nobody sees it but by calls.
package protocol PostedFile: Inode {
    var writer: (any PostingWriter)? { get set }
    /// What bounds how much is written.
    var postingRoom: any PostingRoom { get }
    /// Up to which offset, `limit` at most, writes succeed as long as their room is pledged. Nil where they may not, or where somebody
    /// could see them otherwise than by a call.
    func postingLimit(_ limit: UInt64) -> UInt64?
    /// Writes what was posted at that time. Throws only what the host says.
    func writePosted(_ bytes: Span<UInt8>, at offset: Int64, _ time: Timestamp) throws(Errno)
}

/// Room for bytes that were posted and have not been written yet.
package protocol PostingRoom: AnyObject {
    /// False where there is not so much. `whenShort`: somebody else is in need of what was pledged.
    func pledge(_ bytes: Int64, whenShort: @escaping () -> Void) -> Bool
    func redeem(_ bytes: Int64)
    /// What was pledged is still there.
    var isPledgeCovered: Bool { get }
}
