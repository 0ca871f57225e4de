internal import HostSystem
package import LinuxABI
internal import VFS

/// Extended attributes, and files without a name.
extension HostInode {
    /// Guests change what users may: the other namespaces mean something to the host, its capabilities for one.
    private static let userSpace = Array("user.".utf8)
    private static let shown = [userSpace, Array("security.".utf8)]

    package func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        guard HostInode.shown.contains(where: { name.starts(with: $0) }) else { throw .ENODATA }
        return try Host.extendedAttribute(descriptor, name)
    }

    package func extendedAttributeNames() throws(Errno) -> [[UInt8]] {
        try Host.extendedAttributeNames(descriptor).filter { name in
            HostInode.shown.contains { name.starts(with: $0) }
        }
    }

    package func setExtendedAttribute(_ name: [UInt8], to value: [UInt8], flags: Int32) throws(Errno) {
        guard name.starts(with: HostInode.userSpace) else { throw .EPERM }
        try Host.setExtendedAttribute(descriptor, name, to: value, flags: flags)
    }

    package func removeExtendedAttribute(_ name: [UInt8]) throws(Errno) {
        guard name.starts(with: HostInode.userSpace) else { throw .EPERM }
        try Host.removeExtendedAttribute(descriptor, name)
    }
}
