/// `struct stat` of x86-64, 144 bytes. See `stat(2)`.
package struct StatBuffer: GuestStructure, Sendable {
    package var device: UInt64 = 0
    package var inode: UInt64 = 0
    package var links: UInt64 = 0
    package var mode: UInt32 = 0
    package var userID: UInt32 = 0
    package var groupID: UInt32 = 0
    package var representedDevice: UInt64 = 0
    package var size: Int64 = 0
    package var blockSize: Int64 = 0
    package var blocks: Int64 = 0
    package var accessTime = Timestamp()
    package var modificationTime = Timestamp()
    package var changeTime = Timestamp()

    package init() {}

    package static var size: Int { 144 }

    package init(from reader: inout ByteReader) {
        device = reader.take()
        inode = reader.take()
        links = reader.take()
        mode = reader.take()
        userID = reader.take()
        groupID = reader.take()
        reader.skip(4)
        representedDevice = reader.take()
        size = reader.take()
        blockSize = reader.take()
        blocks = reader.take()
        accessTime = Timestamp(from: &reader)
        modificationTime = Timestamp(from: &reader)
        changeTime = Timestamp(from: &reader)
        reader.skip(24)
    }

    /// The 144 bytes, without a buffer of the heap.
    package var packed: InlineArray<144, UInt8> {
        let words: InlineArray<18, UInt64> = [
            device, inode, links, UInt64(mode) | UInt64(userID) << 32, UInt64(groupID), representedDevice,
            UInt64(bitPattern: size), UInt64(bitPattern: blockSize), UInt64(bitPattern: blocks),
            UInt64(bitPattern: accessTime.seconds), UInt64(bitPattern: accessTime.nanoseconds),
            UInt64(bitPattern: modificationTime.seconds), UInt64(bitPattern: modificationTime.nanoseconds),
            UInt64(bitPattern: changeTime.seconds), UInt64(bitPattern: changeTime.nanoseconds), 0, 0, 0,
        ]
        var bytes = InlineArray<144, UInt8>(repeating: 0)
        for index in 0..<18 {
            let word = words[index]
            let place = index * 8
            bytes[place] = UInt8(truncatingIfNeeded: word)
            bytes[place + 1] = UInt8(truncatingIfNeeded: word >> 8)
            bytes[place + 2] = UInt8(truncatingIfNeeded: word >> 16)
            bytes[place + 3] = UInt8(truncatingIfNeeded: word >> 24)
            bytes[place + 4] = UInt8(truncatingIfNeeded: word >> 32)
            bytes[place + 5] = UInt8(truncatingIfNeeded: word >> 40)
            bytes[place + 6] = UInt8(truncatingIfNeeded: word >> 48)
            bytes[place + 7] = UInt8(truncatingIfNeeded: word >> 56)
        }
        return bytes
    }

    package func encode(to writer: inout ByteWriter) {
        writer.put(device)
        writer.put(inode)
        writer.put(links)
        writer.put(mode)
        writer.put(userID)
        writer.put(groupID)
        writer.put(UInt32(0))
        writer.put(representedDevice)
        writer.put(size)
        writer.put(blockSize)
        writer.put(blocks)
        accessTime.encode(to: &writer)
        modificationTime.encode(to: &writer)
        changeTime.encode(to: &writer)
        writer.pad(24)
    }
}
