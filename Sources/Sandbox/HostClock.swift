internal import HostSystem
internal import Kernel
internal import LinuxABI

/// The host's clocks as the kernel's: what a call answers and what the vDSO answers is one time.
final class HostClock: KernelClock {
    let coarseResolution = max(1, Host.clockResolution(6))

    var now: MonotonicTime { Host.monotonic }
    var realTime: Timestamp { Host.clock(0) }

    func time(of clock: ClockNumber) -> Timestamp {
        switch clock {
        case .realTime: Host.clock(0)
        case .raw: Host.clock(4)
        case .coarseRealTime: Host.clock(5)
        case .coarseMonotonic: Host.clock(6)
        case .boot: Host.clock(7)
        case .atomic: Host.clock(11)
        default: Host.clock(1)
        }
    }
}
