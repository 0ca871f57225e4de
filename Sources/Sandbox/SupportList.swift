internal import HostSystem
internal import LinuxABI
internal import Syscalls

/// `apus-kernel --syscalls`: what the reports say of our support, one call a line:
/// number, name, `full`, `partial` or `refused`, and a note, with tabs between them.
enum SupportList {
    static func print() {
        var text = ""
        for row in HandlerTable.x86_64.rows {
            guard let row else { continue }
            let (word, note): (String, String) =
                switch row.support {
                case .full: ("full", "")
                case .partial(let note): ("partial", note.description)
                case .refused(let error): ("refused", error.description)
                }
            text += "\(row.number)\t\(row.name)\t\(word)\t\(note)\n"
        }
        Host.write(text, to: 1)
    }
}
