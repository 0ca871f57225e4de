internal import HostSystem
internal import Kernel
internal import LinuxABI

/// The host's clocks as the kernel's.
final class HostClock: KernelClock {
    var now: MonotonicTime { Host.monotonic }
    var realTime: Timestamp { Host.clock(0) }
}
