package import VFS

/// Root, working directory and umask of a process, or of several with `CLONE_FS`. Linux's `fs_struct`.
package final class FileSystemContext {
    package var root: Dentry {
        get { storedRoot }
        set { storedRoot = newValue }
    }
    package var workingDirectory: Dentry {
        get { storedWorkingDirectory }
        set { storedWorkingDirectory = newValue }
    }
    // Stored apart: the language watches at run time over accesses to what other modules may store to.
    private var storedRoot: Dentry
    private var storedWorkingDirectory: Dentry
    /// Permission bits that new files do not get.
    package var umask: UInt32

    package init(root: Dentry, workingDirectory: Dentry, umask: UInt32 = 0o022) {
        storedRoot = root
        storedWorkingDirectory = workingDirectory
        self.umask = umask
    }

    package func copy() -> FileSystemContext {
        FileSystemContext(root: root, workingDirectory: workingDirectory, umask: umask)
    }
}
