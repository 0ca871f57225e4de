package import VFS

/// An open file that says more of itself in `/proc/pid/fdinfo` than others do: whole lines. See `proc_pid_fdinfo(5)`.
package protocol DescribedFile: FileOperations {
    var description: String { get }
}

extension FixedWidthInteger {
    /// In hexadecimal, with enough of `padding` before it to fill `width` columns.
    func hex(_ width: Int = 1, padding: Character = "0") -> String {
        let digits = String(self, radix: 16)
        return String(repeating: padding, count: Swift.max(0, width - digits.utf8.count)) + digits
    }
}
