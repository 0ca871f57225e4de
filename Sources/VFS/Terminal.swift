package import LinuxABI

/// What job control knows of a terminal: whose it is, and which process group reads from it. See `tty(4)`, `credentials(7)`.
package final class Terminal {
    /// The session whose controlling terminal it is.
    package var session: ProcessID?
    /// The process group in the foreground.
    package var foreground: ProcessID?
    /// As `st_rdev` and `/proc/pid/stat` show it.
    package let device: DeviceNumber
    /// Who asks whether a caller may read or change it; nil where nobody does.
    package weak var control: (any TerminalControl)?
    /// Opens the terminal anew, for `/dev/tty`.
    package var reopen: (OpenFlags) throws(Errno) -> any FileOperations = { (_) throws(Errno) in throw .ENXIO }

    package init(device: DeviceNumber) { self.device = device }
}

/// Job control, as a terminal asks for it while a call is being handled. Each throws ERESTARTSYS after it has sent the
/// caller's group a stop signal, and EIO where that would stop nobody.
package protocol TerminalControl: AnyObject {
    /// Reading is for the foreground.
    func checkReading(_ terminal: Terminal) throws(Errno)
    /// Changing is for the foreground, and for those who ignore or block SIGTTOU.
    func checkChanging(_ terminal: Terminal) throws(Errno)
    /// Sends a signal to the group in the foreground.
    func signalForeground(_ terminal: Terminal, _ signal: SignalNumber)
}

/// An open file that is a terminal, or may be one.
package protocol TerminalFile: FileOperations {
    /// Nil where the file is no terminal after all.
    var terminal: Terminal? { get }
    /// The side that terminal emulators hold: no job control applies to its users.
    var isMaster: Bool { get }
}
