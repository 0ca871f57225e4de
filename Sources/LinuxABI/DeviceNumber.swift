/// A device number as `makedev(3)` packs it into 64 bits.
package struct DeviceNumber: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package init(major: UInt32, minor: UInt32) {
        let major = UInt64(major)
        let minor = UInt64(minor)
        rawValue = (major & 0xfff) << 8 | (major & ~0xfff) << 32 | minor & 0xff | (minor & ~0xff) << 12
    }

    package var major: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 8 & 0xfff | rawValue >> 32 & ~0xfff) }
    package var minor: UInt32 { UInt32(truncatingIfNeeded: rawValue & 0xff | rawValue >> 12 & ~0xff) }
}
