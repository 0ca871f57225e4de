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
