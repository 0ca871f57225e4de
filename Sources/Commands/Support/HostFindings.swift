internal import Foundation
internal import HostSystem
internal import LinuxABI

/// One line of what `apus doctor` has found.
struct Finding {
    enum Presence: String {
        case present = "yes"
        /// The sandbox does without, and is slower or less closed off.
        case lacking = "no"
        /// Without it there is no sandbox.
        case missing = "NO"
        /// For information.
        case fact = ""
    }

    let name: String
    let presence: Presence
    let meaning: String

    init(_ name: String, _ presence: Presence, _ meaning: String) {
        self.name = name
        self.presence = presence
        self.meaning = meaning
    }

    /// What is needed, and is there or not.
    static func required(_ name: String, _ isThere: Bool, _ use: String, otherwise: String) -> Finding {
        Finding(name, isThere ? .present : .missing, isThere ? use : otherwise)
    }

    /// What is welcome, and is there or not.
    static func optional(_ name: String, _ isThere: Bool, _ use: String, otherwise: String) -> Finding {
        Finding(name, isThere ? .present : .lacking, isThere ? use : otherwise)
    }

    var text: String {
        func padded(_ text: String, _ width: Int) -> String {
            text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
        }
        return "\(padded(name, 16)) \(padded(presence.rawValue, 3)) \(meaning)\n"
    }

    /// A line that belongs to the one before or after it.
    static func continuation(_ text: String) -> String { String(repeating: " ", count: 21) + text + "\n" }
}

/// What this host offers, one question a line.
enum HostFindings {
    static func take() -> [Finding] { [kernel] + processor + calls + namespaces + surroundings }

    private static var kernel: Finding {
        Finding("kernel", .fact, "Linux \(line("/proc/sys/kernel/osrelease") ?? "of unknown version")")
    }

    private static var processor: [Finding] {
        let count = Host.processorCount
        return [
            Finding(
                "processors", .fact,
                count > 1
                    ? "\(count): the kernel polls for calls while it is busy" : "1: nobody polls, each call is a switch"
            ),
            .required(
                "fsgsbase, bmi2", Host.missingInstructions.isEmpty, "instructions that the stub uses",
                otherwise: "the stub's instructions; the processor lacks them, or its kernel hides them"),
        ]
    }

    private static var calls: [Finding] {
        let barrier = Host.memoryBarrierCommands
        let scope = Host.tracingScope
        return [
            platform,
            .optional(
                "seccomp", Host.hasTrappingFilters, "closes off stubs and the kernel process",
                otherwise: "filters with SECCOMP_RET_TRAP; without them only its own code limits the kernel process"),
            .optional(
                "notifications", Host.hasAskingFilters, "the kernel decides on each clone of a stub",
                otherwise: "clones of a stub are not decided on; what a guest makes so is found and ended"),
            .optional(
                "user dispatch", Host.hasUserDispatch, "traps guests' calls",
                otherwise: "PR_SET_SYSCALL_USER_DISPATCH, from Linux 5.11 on"),
            .optional(
                "mseal", Host.hasSeals, "seals the stub's pages in each guest's memory",
                otherwise: "from Linux 6.10 on; the stubs' filter alone keeps guests off the stub's pages"),
            .required("openat2", hasOpenat2, "opens files below the root alone", otherwise: "from Linux 5.6 on"),
            .required("memfd", hasMemoryFiles, "memory that processes share", otherwise: "memfd_create(2) fails"),
            .optional(
                "membarrier", barrier & 1 != 0, "guests may use it", otherwise: "guests' membarrier(2) fails"),
            .required(
                "process memory", Host.hasProcessMemory && scope < 3,
                "large copies from and to guests" + (scope > 0 ? " (ptrace_scope \(scope))" : ""),
                otherwise: scope < 3 ? "process_vm_readv(2) fails" : "kernel.yama.ptrace_scope is 3: nobody may"),
        ]
    }

    /// What `--platform auto` comes to, as `PlatformChoice` of the sandbox has it.
    private static var platform: Finding {
        let lacking = Host.hasTrappingFilters ? (Host.hasUserDispatch ? nil : "user dispatch") : "seccomp"
        return Finding(
            "platform", .fact,
            lacking.map { "ptrace: without \($0) guests are traced, which is slower" }
                ?? "trap: user dispatch and seccomp bring guests' calls to the kernel; --platform ptrace does without")
    }

    private static var hasOpenat2: Bool {
        guard let root = try? Host.openDirectory("/") else { return false }
        defer { Host.close(root) }
        guard let same = try? Host.open(below: root, [], flags: .directory) else { return false }
        Host.close(same)
        return true
    }

    private static var hasMemoryFiles: Bool {
        guard let file = try? Host.memoryFile("apus-doctor") else { return false }
        Host.close(file)
        return true
    }

    private static var namespaces: [Finding] {
        func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "/proc/self/ns/\(name)") }
        // CAP_SYS_ADMIN.
        let isPrivileged = Host.capabilities.effective & 1 << 21 != 0
        func own(_ name: String, _ use: String) -> Finding {
            .optional(
                "\(name) namespace", exists(name) && isPrivileged, use,
                otherwise: exists(name) ? "needs CAP_SYS_ADMIN: done without" : "not in this kernel: done without")
        }
        let users = ["/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/unprivileged_userns_clone"]
        let allowsUsers = exists("user") && users.allSatisfy { line($0) != "0" }
        return [
            own("pid", "the sandbox's host processes see none of the others"),
            own("uts", "no host name to change"),
            .optional(
                "empty root", isPrivileged && hasDetachedMounts,
                "the kernel process names nothing but its stubs and what it was given",
                otherwise: isPrivileged ? "needs open_tree(2) and mount_setattr(2)" : "needs CAP_SYS_ADMIN"),
            .optional(
                "landlock", Host.landlockVersion >= 2,
                "version \(Host.landlockVersion): for callers that get no empty root; opens only what was given",
                otherwise: "without it and an empty root only the list of calls confines the kernel process"),
            own("ipc", "no System V IPC or queues of the host"),
            Finding("user namespace", allowsUsers ? .present : .lacking, "for information: the sandbox makes none"),
        ]
    }

    private static var hasDetachedMounts: Bool {
        guard let tree = try? Host.cloneTree("/", isReadOnly: true) else { return false }
        Host.close(tree)
        return true
    }

    private static var surroundings: [Finding] {
        let place = line("/proc/self/cgroup").map { $0.split(separator: ":", omittingEmptySubsequences: false) } ?? []
        let path = place.last.map(String.init) ?? "none"
        let limit = line("/sys/fs/cgroup\(path)/memory.max")
        return [
            Finding("cgroup", .fact, path + (limit.map { ", memory.max \($0)" } ?? "")),
            Finding("user", .fact, "\(Host.userID)" + (Host.userID == 0 ? ", the superuser" : "")),
        ]
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private static func line(_ path: String) -> String? {
        text(path)?.split(separator: "\n").first.map(String.init)
    }
}
