internal import HostSystem
internal import LinuxABI

/// The first of the sandbox's two own processes. It gives the kernel process a process-number namespace of its own where
/// the host allows, then only waits: whichever of the two is killed, the host takes everything below with it.
enum Supervisor {
    private static let newPIDNamespace: UInt = 0x2000_0000
    private static let newIPCNamespace: UInt = 0x0800_0000
    private static let newUTSNamespace: UInt = 0x0400_0000

    /// Runs `kernel` in a child and ends with the child's status: an exit code, or 128 and the signal.
    static func run(isVerbose: Bool, _ kernel: (_ isOwnNamespace: Bool) -> Int32) -> Never {
        let isOwnNamespace: Bool
        do throws(Errno) {
            try Host.unshare(newPIDNamespace | newIPCNamespace | newUTSNamespace)
            isOwnNamespace = true
        } catch {
            // Without the privilege the death signals alone hold the family together.
            isOwnNamespace = false
            if isVerbose {
                Host.write(
                    "apus-kernel: no namespaces of its own for process numbers, IPC and host names (\(error)): the host's "
                        + "processes stay in sight of the sandbox's, and their end takes death signals alone\n", to: 2)
            }
        }
        let child: Int32?
        do throws(Errno) {
            child = try Host.fork()
        } catch {
            Host.write("apus-kernel: cannot start the kernel process: \(error)\n", to: 2)
            Host.exit(125)
        }
        guard let child else {
            try? Host.dieWithParent()
            Host.exit(kernel(isOwnNamespace))
        }
        let status = Host.supervise(child)
        if status & 0x7f == 31 {
            // The filter's own message could not be written.
            Host.write("apus-kernel: ended by SIGSYS: a host call that is not in its list\n", to: 2)
            Host.exit(125)
        }
        Host.exit(status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f)
    }
}
