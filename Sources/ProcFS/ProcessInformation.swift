package import LinuxABI
package import VFS

/// Where `/proc` gets what it shows; the sandbox implements it over the kernel.
package protocol ProcessInformation: AnyObject {
    /// The numbers of all processes, ascending.
    var processIDs: [ProcessID] { get }
    /// The process of the thread whose call is being handled.
    var currentProcess: ProcessID { get }
    /// That thread itself.
    var currentThread: ProcessID { get }
    /// When the sandbox began.
    var startTime: Timestamp { get }
    func threadIDs(of process: ProcessID) -> [ProcessID]
    /// The process of a thread; nil if there is no such thread.
    func process(ofThread thread: ProcessID) -> ProcessID?
    func exists(_ process: ProcessID) -> Bool
    /// When the process began, which tells it from a later one of its number; nil if there is none.
    func start(of process: ProcessID) -> MonotonicTime?
    /// Who owns the process's files, and since when there is such a process.
    func owner(of process: ProcessID) -> (user: UInt32, group: UInt32, since: Timestamp)
    /// True if the reader may see what only a tracer may.
    func mayInspect(_ process: ProcessID) -> Bool
    /// The text of one of `ProcFS.files`. Throws ENOENT, ESRCH.
    func text(_ file: String, of process: ProcessID, thread: ProcessID) throws(Errno) -> [UInt8]
    /// `exe`, `cwd`, `root`. Throws ENOENT for what has none.
    func link(_ name: String, of process: ProcessID) throws(Errno) -> Dentry
    func descriptors(of process: ProcessID) throws(Errno) -> [Int32]
    /// An open file, with the text its link shows. Throws ENOENT.
    func descriptor(_ number: Int32, of process: ProcessID) throws(Errno) -> DescriptorLink
    func store(_ bytes: [UInt8], to file: String, of process: ProcessID, thread: ProcessID) throws(Errno)
    /// Appends what can be read of a process's memory at the address. Throws EIO where nothing is mapped.
    func readMemory(of process: ProcessID, at address: UInt, into output: inout OutputSpan<UInt8>) throws(Errno)
    /// Throws EIO where nothing is mapped.
    func writeMemory(of process: ProcessID, at address: UInt, _ bytes: Span<UInt8>) throws(Errno) -> Int
    /// A path as the reader's root shows it.
    func path(of dentry: Dentry) -> [UInt8]
    /// The text of a file that belongs to no process, by its path below `/proc`.
    func systemText(_ path: String) throws(Errno) -> [UInt8]
    /// Throws EACCES, EINVAL.
    func storeSystem(_ bytes: [UInt8], to path: String) throws(Errno)
}

/// What a link of `/proc/pid/fd` shows and where it leads.
package struct DescriptorLink {
    package let target: MagicTarget
    package let text: [UInt8]
    package let mayRead: Bool
    package let mayWrite: Bool

    package init(target: MagicTarget, text: [UInt8], mayRead: Bool, mayWrite: Bool) {
        self.target = target
        self.text = text
        self.mayRead = mayRead
        self.mayWrite = mayWrite
    }
}
