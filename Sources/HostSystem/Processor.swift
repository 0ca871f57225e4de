internal import CHost

/// What the processor keeps for user code.
extension Host {
    /// The extended-state components in use (XCR0), and the bytes of an XSAVE area in standard format that holds them.
    package static var extendedState: (components: UInt64, size: Int) {
        var components: UInt64 = 0
        var size: UInt32 = 0
        // The shim writes the two numbers and keeps neither address.
        unsafe apus_host_extended_state(&components, &size)
        return (components, Int(size))
    }
}
