package import LinuxABI
package import VFS

/// A process by descriptor: readable once it has ended. See `pidfd_open(2)`.
package final class PidFile: ProcessFile, DescribedFile {
    package let process: Process
    private let node: any Inode

    package init(_ process: Process, node: any Inode) {
        self.process = process
        self.node = node
    }

    /// Who has been waited for has no number any more.
    package var description: String {
        let number = process.kernel.processes[process.id] === process ? process.id.rawValue : -1
        return "Pid:\t\(number)\nNSpid:\t\(number)\n"
    }

    package var processID: ProcessID { process.id }
    package var inode: any Inode { node }
    package var waitQueue: WaitQueue? { process.endEvents }

    package var isReadyByKernel: Bool { true }

    package func poll(_ file: OpenFile) -> PollEvents {
        guard process.threads.isEmpty else { return [] }
        // Who has been waited for is gone altogether.
        let isGone = process.kernel.processes[process.id] !== process
        return isGone ? PollEvents.readable.union(.hangUp) : .readable
    }
}
