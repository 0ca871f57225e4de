/// What the sandbox says of itself: `uname(2)`, `/proc/version`, `/proc/sys/kernel`.
package struct SystemIdentity: Sendable {
    package static let name = "Linux"
    /// The kernel whose behaviour is the reference; the table of system calls is made from its source.
    package static let release = "6.12.117"
    package static let version = "#1 SMP PREEMPT_DYNAMIC Apus 6.12.117"
    package static let machine = "x86_64"
    /// `__NEW_UTS_LEN`: bytes of a name without its NUL.
    package static let maximumName = 64

    package var hostName: [UInt8] = Array("apus".utf8)
    package var domainName: [UInt8] = Array("(none)".utf8)

    package init() {}
}
