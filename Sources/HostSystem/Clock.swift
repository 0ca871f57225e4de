internal import CHost
package import LinuxABI

/// The host's clocks.
extension Host {
    /// `clock_gettime(2)`, of those clocks that the vDSO knows: 0 real time, 1 monotonic, 4 raw, 5 and 6 coarse, 7 boot
    /// time, 11 atomic time.
    package static func clock(_ clock: Int32) -> Timestamp {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        // The shim writes the two numbers and keeps neither address.
        unsafe apus_host_clock(clock, &seconds, &nanoseconds)
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// Nanoseconds between two steps of a clock: `clock_getres(2)`.
    package static func clockResolution(_ clock: Int32) -> Int64 { apus_host_clock_resolution(clock) }

    package static var monotonic: MonotonicTime { MonotonicTime(nanoseconds: 0).advanced(by: clock(1)) }

    /// The time-stamp counter.
    @inline(__always)
    package static var ticks: UInt64 { apus_host_ticks() }

    /// The processor that this thread runs on now.
    package static var currentProcessor: UInt32 { apus_host_processor() }

    /// A hint to the processor that this is a spin loop.
    @inline(__always)
    package static func relax() { apus_host_relax() }

    /// `sched_yield(2)`.
    package static func yield() { _ = rawCall(24) }
}
