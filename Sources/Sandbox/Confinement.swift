internal import HostSystem
internal import LinuxABI

/// What the kernel process can still name of the host's files, by what the host allows.
enum Confinement {
    /// Nothing but what it was given; less than that can be told apart; or whatever its user can.
    enum Outcome: Equatable {
        case empty
        case landlock
        case none(Errno)
    }

    /// Closes the calling process off, before it makes anything: what descends from it is closed off as well.
    /// `isOwnNamespace`: it is the first of a process-number namespace.
    static func enter(_ opened: Opened, _ configuration: Configuration, isOwnNamespace: Bool) -> Outcome {
        do throws(Errno) {
            guard isOwnNamespace else { throw .EPERM }
            try Host.leaveFileSystem()
            if opened.isDetached { return .empty }
        } catch {
            if isOwnNamespace { try? Host.mountOwnProc() }
            try? Host.standInProcesses()
        }
        do throws(Errno) {
            try Host.forgoPrivileges()
            try Host.restrictFiles(to: given(opened, configuration))
            return .landlock
        } catch {
            return .none(error)
        }
    }

    private static func given(
        _ opened: Opened, _ configuration: Configuration
    ) -> [(descriptor: Int32, right: Host.Right)] {
        var given: [(descriptor: Int32, right: Host.Right)] = [(opened.root, .reading)]
        for (bind, place) in zip(configuration.binds, opened.binds) {
            given.append((place.descriptor, bind.isReadOnly ? .reading : .changing))
        }
        given += opened.facts.systemDevices.map { ($0.descriptor, .reading) }
        given += opened.caller.descriptors.map { ($0, .streaming) }
        // Patched call sites are written by way of `/proc/pid/mem`.
        if let processes = try? Host.openPath(".") { given.append((processes, .memory)) }
        return given
    }

    /// What `--verbose` says.
    static func message(_ outcome: Outcome) -> String? {
        switch outcome {
        case .empty: nil
        case .landlock:
            "the kernel process keeps its view of the host's files, but by Landlock opens and changes only what it was given"
        case .none(let error):
            "the kernel process keeps its view of the host's files (no Landlock: \(error)): its list of calls alone stands "
                + "between it and what its user may do with them"
        }
    }
}
