internal import HostFS
internal import HostSystem
internal import Kernel
internal import LinuxABI
internal import Platform
internal import Syscalls
internal import VFS

/// The life of the process that becomes a sandbox.
package enum Sandbox {
    /// Runs what the words after the program's name say, and ends with its status.
    package static func main(arguments: [String]) -> Never {
        if arguments == ["--syscalls"] {
            SupportList.print()
            Host.exit(0)
        }
        var configuration: Configuration
        do throws(Configuration.Invalid) {
            configuration = try Configuration(arguments: arguments)
        } catch {
            fail(error.message)
        }
        let instructions = Host.missingInstructions
        if !instructions.isEmpty {
            let names = instructions.joined(separator: " and ")
            fail("this processor lacks \(names), which the sandbox needs; use a newer one")
        }
        let lacking = PlatformChoice.lacking
        let isChosen = configuration.platform == .automatic && lacking != nil
        if configuration.platform == .automatic { configuration.platform = lacking == nil ? .trap : .trace }
        if configuration.platform == .trap, !Host.hasTrappingFilters, !isNested { fail(PlatformChoice.refusal) }
        let settled = configuration
        let opened = Opened(settled)
        Supervisor.run(isVerbose: settled.isVerbose) { isOwnNamespace in
            let outcome = Confinement.enter(opened, settled, isOwnNamespace: isOwnNamespace)
            if settled.isVerbose, let message = Confinement.message(outcome) {
                Host.write("apus-kernel: \(message)\n", to: 2)
            }
            return run(settled, opened, notice: isChosen ? lacking.map(PlatformChoice.notice) : nil)
        }
    }

    /// Ends the process with a message, before or instead of a guest.
    static func fail(_ message: String, status: Int32 = 125) -> Never {
        Host.write("apus-kernel: \(message)\n", to: 2)
        Host.exit(status)
    }

    /// True in a guest of another sandbox.
    private static var isNested: Bool {
        guard let file = try? Host.openFile("/proc/1/comm") else { return false }
        let text = try? [UInt8](capacity: 16) { output throws(Errno) in
            _ = try Host.read(file, at: 0, into: &output, limit: 16)
        }
        return text == Array("apus-init\n".utf8)
    }

    /// The kernel process: boots, runs until the first program has ended.
    /// - Returns: the exit status for the user.
    private static func run(_ configuration: Configuration, _ opened: Opened, notice: String?) -> Int32 {
        let traces = configuration.platform == .trace
        Host.makeRoomForDescriptors(open: opened.root)
        // The guest has the caller's limit already.
        Host.raiseFileSizeLimit()
        let boot: Boot
        do throws(Errno) {
            boot = try Boot(configuration, opened)
            // No guest has run yet.
            if let notice { Host.write("apus-kernel: \(notice)\n", to: 2) }
            // Where there is no seccomp the choice of the platform has said so.
            if !traces || Host.hasTrappingFilters { try Host.restrictCalls(tracing: traces) }
        } catch {
            fail(startFailure(error, traces: traces))
        }
        let status = boot.kernel.run()
        boot.finish()
        if let (message, status) = boot.failure { fail(message, status: status) }
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }
}

extension Sandbox {
    /// Why there is no sandbox, and what helps.
    private static func startFailure(_ error: Errno, traces: Bool) -> String {
        guard !isNested else {
            return "cannot start a sandbox inside a sandbox of apus, whose kernel has no seccomp; start it outside"
        }
        // Only memory files have a size by now, and only the limit is in their way.
        guard error != .EFBIG else {
            return "cannot start the sandbox: its memory files are longer than this user's files may be, "
                + "\(Host.fileSizeLimit) bytes; raise the hard limit (ulimit -Hf)"
        }
        return traces
            ? "cannot start the sandbox: \(error); --platform ptrace needs ptrace(2), and this host may refuse it"
            : "cannot start the sandbox: \(error); apus needs seccomp, and this host may refuse it"
    }
}

/// What the sandbox is given of the host: opened before anything is closed off.
struct Opened {
    let root: Int32
    /// No way leads up from the root or from what is bound.
    let isDetached: Bool
    /// What to bind, open as a place; a regular file also for reading or writing.
    let binds: [(descriptor: Int32, openFile: Int32?)]
    let facts: HostFacts
    let caller = Caller()
    let trace: Int32?

    /// Ends the process with a message when something cannot be opened.
    init(_ configuration: Configuration) {
        var isDetached = true
        do throws(Errno) {
            // A directory, before anything is copied.
            let place = try Host.openDirectory(configuration.root)
            let tree = try? Host.cloneTree(configuration.root, isReadOnly: true)
            if tree != nil { Host.close(place) } else { isDetached = false }
            root = tree ?? place
        } catch {
            Sandbox.fail("--root \(configuration.root): \(error); give a directory that you may read")
        }
        binds = configuration.binds.map { bind in
            do throws(Errno) {
                let place: Int32
                if let tree = try? Host.cloneTree(bind.source, isReadOnly: bind.isReadOnly) {
                    place = tree
                } else {
                    place = try Host.openPath(bind.source)
                    isDetached = false
                }
                let isFile = FileMode(rawValue: try Host.status(place).mode).kind == .regular
                return (place, isFile ? try Host.openFile(bind.source, writing: !bind.isReadOnly) : nil)
            } catch {
                Sandbox.fail("--bind \(bind.source): \(error); give something that you may read, or write without :ro")
            }
        }
        self.isDetached = isDetached
        facts = HostFacts()
        guard let path = configuration.trace else {
            trace = nil
            return
        }
        do throws(Errno) {
            trace = try Host.createFile(path)
        } catch {
            Sandbox.fail("--trace \(path): \(error); give a file that you may write")
        }
    }
}
