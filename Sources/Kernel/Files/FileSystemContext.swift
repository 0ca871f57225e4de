package import VFS

/// Root, working directory and umask of a process, or of several with `CLONE_FS`. Linux's `fs_struct`.
package final class FileSystemContext {
    package var root: Dentry
    package var workingDirectory: Dentry
    /// Permission bits that new files do not get.
    package var umask: UInt32

    package init(root: Dentry, workingDirectory: Dentry, umask: UInt32 = 0o022) {
        self.root = root
        self.workingDirectory = workingDirectory
        self.umask = umask
    }

    package func copy() -> FileSystemContext {
        FileSystemContext(root: root, workingDirectory: workingDirectory, umask: umask)
    }
}
