package import LinuxABI
package import VFS

/// An open file that stands for a process: what `pidfd_open(2)` makes.
package protocol ProcessFile: FileOperations {
    var processID: ProcessID { get }
}
