internal import HostSystem
internal import Kernel
internal import LinuxABI

/// What the program would have from its caller without a sandbox: a process keeps all this over `fork(2)` and `execve(2)`.
/// Taken before the sandbox sets up anything for itself.
struct Caller {
    let descriptors = CallerDescriptors.take()
    let credentials = Credentials.ofCaller
    let limits = ResourceLimits.ofCaller
    let fileModeMask = Host.fileModeMask
    private let settings = ThreadSettings.ofCaller
    /// `nohup(1)` and a shell's background jobs live by it.
    private let ignored = (1...64).map { SignalNumber($0) }.filter { Host.isIgnored($0.rawValue) }
    private let blocked = SignalSet(rawValue: Host.blockedSignals)
    private let oomScoreAdjustment = Host.oomScoreAdjustment

    init() {
        // The sandbox waits for children of its own, and for what its caller may have blocked.
        Host.stopIgnoringChildren()
        Host.unblockSignals()
    }

    /// Gives the first process, which has executed nothing yet, what is no argument of its making.
    func pass(to process: Process) {
        process.oomScoreAdjustment = oomScoreAdjustment
        for signal in ignored { process.actions[signal].handler = SignalAction.ignore }
        for thread in process.threads {
            thread.settings = settings
            thread.signals.blocked = blocked
        }
    }
}

extension ThreadSettings {
    fileprivate static var ofCaller: ThreadSettings {
        var settings = ThreadSettings()
        settings.nice = Host.nice
        (settings.policy, settings.priority, settings.resetsOnFork) = Host.scheduling
        settings.ioPriority = Host.ioPriority
        settings.personality = Host.personality
        settings.timerSlack = Host.timerSlack
        settings.defaultTimerSlack = settings.timerSlack
        return settings
    }
}

extension Credentials {
    /// The caller's own: what the program would have without a sandbox.
    fileprivate static var ofCaller: Credentials {
        var credentials = Credentials()
        let user = Host.userID
        let group = Host.groupID
        credentials.userID = user
        credentials.effectiveUserID = user
        credentials.savedUserID = user
        credentials.fileSystemUserID = user
        credentials.groupID = group
        credentials.effectiveGroupID = group
        credentials.savedGroupID = group
        credentials.fileSystemGroupID = group
        credentials.groups = Host.groups
        let all = Credentials.allCapabilities
        let (effective, permitted, inheritable) = Host.capabilities
        credentials.effectiveCapabilities = effective & all
        credentials.permittedCapabilities = permitted & all
        credentials.inheritableCapabilities = inheritable & all
        credentials.boundingCapabilities = Host.boundingCapabilities(UInt(CapabilityNumber.last + 1))
        return credentials
    }
}

extension ResourceLimits {
    /// The caller's own limits.
    fileprivate static var ofCaller: ResourceLimits {
        var limits = ResourceLimits()
        for resource in limits.values.indices {
            guard let (soft, hard) = Host.limit(resource) else { continue }
            limits.values[resource] = Limit(soft: soft, hard: hard)
        }
        return limits
    }
}
