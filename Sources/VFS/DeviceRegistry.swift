package import LinuxABI

/// What opening a device node gives, by device number. Filled once, before the first guest runs.
package final class DeviceRegistry {
    package typealias Opener = (any Inode, OpenFlags) throws(Errno) -> any FileOperations

    private var openers: [DeviceNumber: Opener] = [:]

    package init() {}

    package func register(_ number: DeviceNumber, _ opener: @escaping Opener) { openers[number] = opener }

    /// Throws ENXIO for a device that the sandbox has not.
    package func open(_ number: DeviceNumber, _ inode: any Inode, _ flags: OpenFlags) throws(Errno)
        -> any FileOperations
    {
        guard let opener = openers[number] else { throw .ENXIO }
        return try opener(inode, flags)
    }
}
