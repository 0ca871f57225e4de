package import LinuxABI
internal import Platform

/// What `getrusage(2)` and `wait4(2)` report: 144 bytes, of which the times and little else mean something.
package struct ResourceUsage: GuestStructure, Sendable, Equatable {
    package var time: CPUTime
    /// In KiB.
    package var maximumResident: Int64 = 0

    /// `resident` is in bytes.
    package init(_ time: CPUTime, resident: UInt64) {
        self.time = time
        maximumResident = Int64(resident / 1024)
    }

    package static var size: Int { 144 }

    package init(from reader: inout ByteReader) {
        let user = TimeValue(from: &reader)
        let system = TimeValue(from: &reader)
        time = CPUTime(user: user.nanoseconds, system: system.nanoseconds)
        maximumResident = reader.take()
        reader.skip(104)
    }

    package func encode(to writer: inout ByteWriter) {
        let start = writer.bytes.count
        TimeValue(nanoseconds: time.user).encode(to: &writer)
        TimeValue(nanoseconds: time.system).encode(to: &writer)
        writer.put(maximumResident)
        writer.pad(to: start + ResourceUsage.size)
    }
}

extension Process {
    /// Of children that were waited for, and of theirs.
    package var childrenTime: CPUTime { CPUTime(user: childrenUserTime, system: childrenSystemTime) }

    /// Looks at how much of the process was in memory at most. Its stub stays over an execve, and with it what the host knows.
    package func measurePeak() {
        guard let peak = threads.lazy.compactMap({ $0.map }).first?.stub.peakBytes else { return }
        peakResident = max(peakResident, peak)
    }

    /// Its last thread is about to end. The host says by itself what a process has used when it is gone, for nothing; but that
    /// may be later than somebody asks. So it is looked at before once anybody has asked, and where the host will take long.
    func noteLastPeak() {
        guard let map = threads.first?.map else { return }
        let isSoonGone = map.users == 1 && map.areas.totalLength <= Process.soonGone
        if !isSoonGone || kernel.isAskedForPeaks || kernel.platform?.isTracing != false { return measurePeak() }
        unsettledPeak = map.stub.peak
    }

    /// Bytes of an address space that the host takes down within some ms, were they all in memory.
    private static let soonGone: UInt = 32 << 20

    /// The most that was in memory of a process that has ended, and of its children.
    package var lastPeak: UInt64 {
        if let peak = unsettledPeak {
            kernel.platform?.settle(peak)
            peakResident = max(peakResident, peak.bytes ?? 0)
            unsettledPeak = nil
        }
        return max(peakResident, childrenPeak)
    }

    /// The same of its children that were waited for, and of theirs: the largest of them.
    package var childrenPeak: UInt64 {
        for peak in unsettledChildren { kernel.platform?.settle(peak) }
        takeSettled()
        unsettledChildren = []
        return childrenPeakResident
    }

    private func takeSettled() {
        unsettledChildren.removeAll { peak in
            guard let bytes = peak.bytes else { return false }
            childrenPeakResident = max(childrenPeakResident, bytes)
            return true
        }
    }

    /// A child has been waited for: its time counts here from now on, and so does what it has read and written.
    func addTime(of child: Process) {
        let time = child.lastCPUTime + child.childrenTime
        childrenUserTime = childrenUserTime &+ time.user
        childrenSystemTime = childrenSystemTime &+ time.system
        childrenPeakResident = max(childrenPeakResident, child.peakResident, child.childrenPeakResident)
        takeSettled()
        if let peak = child.unsettledPeak { unsettledChildren.append(peak) }
        unsettledChildren += child.unsettledChildren
        transfers.add(child.transfers)
    }
}
