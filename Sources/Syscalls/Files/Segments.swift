internal import GuestMemory
internal import Kernel
internal import LinuxABI
internal import Platform
internal import VFS

/// The stretches of guest memory that a call reads from or writes to, and how bytes move between them and a file.
extension GuestThread {
    /// What Linux calls `MAX_RW_COUNT`: a longer transfer is shortened, not refused.
    static let maximumTransfer: UInt = 0x7fff_f000
    /// Bytes that pass through the kernel at a time.
    private static let piece = 1 << 20

    /// A stretch of guest memory of one vector entry.
    struct Segment {
        var address: UInt
        var count: Int

        /// Throws EFAULT for what no guest can have.
        init(_ address: UInt, _ count: UInt) throws(Errno) {
            let (end, overflow) = address.addingReportingOverflow(count)
            guard !overflow, end <= GuestLayout.taskSize else { throw .EFAULT }
            self.address = address
            self.count = Int(min(count, GuestThread.maximumTransfer))
        }

        /// As long as all of them together: for bytes that are gathered before they go, wherever they lie.
        init(joining segments: [Segment]) {
            address = 0
            count = segments.reduce(0) { $0 + $1.count }
        }
    }

    /// Copies an `iovec` array in. Throws EINVAL for more than 1024 entries or a negative length.
    func segments(_ vector: UInt, _ count: UInt) throws(Errno) -> [Segment] {
        guard count <= 1024 else { throw .EINVAL }
        var reader = ByteReader(try copyIn(Int(count) * 16, from: vector))
        var pairs: [(address: UInt, length: UInt)] = []
        for _ in 0..<count {
            let pair: (address: UInt, length: UInt) = (reader.take(), reader.take())
            guard Int(bitPattern: pair.length) >= 0 else { throw .EINVAL }
            pairs.append(pair)
        }
        var segments: [Segment] = []
        var total: UInt = 0
        for (address, length) in pairs {
            var segment = try Segment(address, length)
            segment.count = Int(min(length, GuestThread.maximumTransfer - total))
            total += UInt(segment.count)
            segments.append(segment)
        }
        return segments
    }

    /// Moves bytes piece by piece over the segments, on from where the call's last try has come (`restart.bytesDone`), and
    /// gives way to others now and then. `move` is given an address and how many bytes to move there at most, and says how
    /// many it has moved; with `endsShort` fewer than it could have are the last.
    func transfer(
        _ segments: [Segment], endsShort: Bool, _ move: (_ address: UInt, _ count: Int) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let end = bytesDone + GuestThread.turn
        var skip = bytesDone
        for segment in segments {
            var inside = min(skip, segment.count)
            skip -= inside
            while inside < segment.count {
                if bytesDone >= end {
                    if hasPendingSignal { return bytesDone }
                    throw giveWay()
                }
                let wanted = min(segment.count - inside, GuestThread.piece)
                do throws(Errno) {
                    let moved = try move(segment.address &+ UInt(inside), wanted)
                    inside += moved
                    restart.bytesDone += moved
                    if endsShort, moved < wanted { return bytesDone }
                } catch {
                    if error == .EPIPE { raisePipeSignal() }
                    // What was moved already counts; the next call meets the error again.
                    if bytesDone > 0, error != .parked { return bytesDone }
                    throw error
                }
            }
        }
        return bytesDone
    }

    /// The bytes of segments from an offset on, as far as the guest's memory reaches. Throws EFAULT when that is nowhere.
    func gather(_ segments: [Segment], from offset: Int, atMost limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        var skip = offset
        for segment in segments {
            guard skip < segment.count else {
                skip -= segment.count
                continue
            }
            let wanted = min(segment.count - skip, limit - bytes.count)
            guard wanted > 0 else { break }
            do throws(Errno) {
                let part = try copyInWhatIsThere(wanted, from: segment.address &+ UInt(skip))
                bytes += part
                if part.count < wanted { break }
            } catch {
                guard !bytes.isEmpty else { throw error }
                break
            }
            skip = 0
        }
        return bytes
    }
}
