internal import HostSystem
package import LinuxABI

/// What a directory holds but `.` and `..`, packed one after the other as `getdents64(2)` hands it out: inode number (8
/// bytes), the position behind the entry (8), length (2), type (1), name with its NUL, padded to 8 bytes.
package struct DirectoryListing: Sendable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var count = 0

    /// Positions 0 and 1 are those of `.` and `..`.
    package static let firstPosition: Int64 = 2
    package static let headSize = 19

    package init() {}

    package init(_ entries: [DirectoryEntry]) {
        bytes.reserveCapacity(entries.count * 32)
        for entry in entries { append(entry.name.bytes.span, inode: entry.inode, kind: entry.kind) }
    }

    package mutating func reserve(_ size: Int) { bytes.reserveCapacity(bytes.count + size) }

    package mutating func append(_ name: Span<UInt8>, inode: UInt64, kind: FileKind) {
        DirectoryListing.put(
            name, inode: inode, next: DirectoryListing.firstPosition + Int64(count) + 1,
            type: kind.directoryEntryType, to: &bytes)
        count += 1
    }

    /// Appends entries that the host has packed in the same way, `.` and `..` left out.
    /// - Returns: `isComplete`: false if one of them does not say what its name leads to, or is none. `isLast`: nothing can come
    ///   behind these, as the position there is the last that there is.
    package mutating func append(packed source: Span<UInt8>) -> (isComplete: Bool, isLast: Bool) {
        let begin = bytes.count
        var isComplete = true
        var last: Int?
        // What was looked through, and how much of it is to be copied.
        var (index, start) = (0, 0)
        while index + DirectoryListing.headSize < source.count {
            let length = Int(source[index + 16]) | Int(source[index + 17]) << 8
            guard length > DirectoryListing.headSize, length & 7 == 0, length <= source.count - index else { break }
            last = index
            if FileKind(rawValue: UInt32(source[index + 18]) << 12) == nil { isComplete = false }
            let first = source[index + 19]
            if first == 0x2e, source[index + 20] == 0 || source[index + 20] == 0x2e && source[index + 21] == 0 {
                bytes.append(copying: source.extracting(start..<index))
                start = index + length
            }
            index += length
        }
        bytes.append(copying: source.extracting(start..<index))
        renumber(from: begin)
        var isLast = false
        if let last { isLast = DirectoryListing.isLastPosition(source, last + 8) }
        return (isComplete && index == source.count, isLast)
    }

    /// The position that ext4, for one, gives an end: the largest number.
    private static func isLastPosition(_ source: Span<UInt8>, _ index: Int) -> Bool {
        for place in index..<index + 7 where source[place] != 0xff { return false }
        return source[index + 7] == 0x7f
    }

    /// Gives the entries from an index on their positions, and clears what stands behind their names.
    private mutating func renumber(from begin: Int) {
        let end = bytes.count
        var next = UInt64(DirectoryListing.firstPosition) + UInt64(count)
        var added = 0
        var span = bytes.mutableSpan
        var index = begin
        while index < end {
            added += 1
            next += 1
            for place in 0..<8 { span[index + 8 + place] = UInt8(truncatingIfNeeded: next &>> UInt64(8 * place)) }
            let length = Int(span[index + 16]) | Int(span[index + 17]) << 8
            // The name's NUL is one of the last eight bytes.
            var last = max(index + DirectoryListing.headSize, index + length - 8)
            while last < index + length - 1, span[last] != 0 { last += 1 }
            for place in last..<index + length { span[place] = 0 }
            index += length
        }
        count += added
    }

    /// Appends one entry to some bytes.
    package static func put(
        _ name: Span<UInt8>, inode: UInt64, next: Int64, type: UInt8, to bytes: inout [UInt8]
    ) {
        let length = (headSize + name.count + 1 + 7) & ~7
        bytes.append(addingCapacity: length) { output in
            for shift in stride(from: 0, to: 64, by: 8) {
                output.append(UInt8(truncatingIfNeeded: inode &>> UInt64(shift)))
            }
            let next = UInt64(bitPattern: next)
            for shift in stride(from: 0, to: 64, by: 8) {
                output.append(UInt8(truncatingIfNeeded: next &>> UInt64(shift)))
            }
            output.append(UInt8(truncatingIfNeeded: length))
            output.append(UInt8(truncatingIfNeeded: length >> 8))
            output.append(type)
            output.append(copying: name)
            output.append(repeating: 0, count: length - headSize - name.count)
        }
    }

    /// The length of the entry that begins at an index; 0 past the end.
    package func length(at index: Int) -> Int {
        guard index >= 0, index + DirectoryListing.headSize < bytes.count else { return 0 }
        return Int(bytes[index + 16]) | Int(bytes[index + 17]) << 8
    }
}
