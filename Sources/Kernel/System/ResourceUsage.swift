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

    /// Looks at how much of the process is in memory.
    package func measureResident() {
        guard let now = threads.lazy.compactMap({ $0.map }).first?.stub.residentBytes else { return }
        peakResident = max(peakResident, now)
    }

    /// A child has been waited for: its time counts here from now on, and so does what it has read and written.
    func addTime(of child: Process) {
        let time = child.lastCPUTime + child.childrenTime
        childrenUserTime = childrenUserTime &+ time.user
        childrenSystemTime = childrenSystemTime &+ time.system
        childrenPeakResident = max(childrenPeakResident, child.peakResident, child.childrenPeakResident)
        transfers.add(child.transfers)
    }
}
