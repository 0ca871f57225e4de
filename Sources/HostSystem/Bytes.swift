/// Copying many bytes at once: the standard library's spans only take them one by one.
extension OutputSpan where Element == UInt8 {
    /// Appends as many of the bytes as there is room for.
    package mutating func append(copying source: Span<UInt8>) {
        let wanted = min(source.count, freeCapacity)
        guard wanted > 0 else { return }
        // `wanted` is bounded by both sides, and the two cannot overlap: one is being initialized.
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            unsafe source.withUnsafeBufferPointer { source in
                guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
                unsafe (to + count).initialize(from: from, count: wanted)
            }
            count += wanted
        }
    }

    /// Appends numbers as they stand in memory, the lowest byte first, if there is room for all of them.
    package mutating func append(words: Span<UInt64>) {
        guard words.count * 8 <= freeCapacity else { return }
        unsafe withUnsafeMutableBufferPointer { buffer, count in
            unsafe words.withUnsafeBytes { words in
                // There is room, as was seen, and the two cannot overlap: one is being initialized.
                unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                    .copyMemory(from: words)
                count += words.count
            }
        }
    }
}

extension MutableSpan where Element == UInt8 {
    /// Puts the bytes at an index, as many as fit.
    /// - Returns: how many.
    @discardableResult
    package mutating func replace(at start: Int, with source: Span<UInt8>) -> Int {
        guard start >= 0, start < count else { return 0 }
        let wanted = min(source.count, count - start)
        guard wanted > 0 else { return 0 }
        // `start` and `wanted` lie within this span; the law of exclusivity keeps the two apart.
        unsafe withUnsafeMutableBufferPointer { buffer in
            unsafe source.withUnsafeBufferPointer { source in
                guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
                unsafe (to + start).update(from: from, count: wanted)
            }
        }
        return wanted
    }
}

extension Array where Element == UInt8 {
    /// A copy of the bytes.
    package init(copying source: Span<UInt8>) {
        self.init(capacity: source.count) { output in output.append(copying: source) }
    }

    /// Appends a copy of the bytes.
    package mutating func append(copying source: Span<UInt8>) {
        append(addingCapacity: source.count) { output in output.append(copying: source) }
    }
}
