internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// Who a process is: credentials(7), capabilities(7), prctl(2).
    static let identity: [SyscallRow] = [
        implement(Linux.getpid) { (t) throws(Errno) in Int(t.process.id.rawValue) },
        implement(Linux.gettid) { (t) throws(Errno) in Int(t.id.rawValue) },
        implement(Linux.getppid) { (t) throws(Errno) in Int(t.process.visibleParent.rawValue) },
        implement(Linux.getuid) { (t) throws(Errno) in Int(t.credentials.userID) },
        implement(Linux.geteuid) { (t) throws(Errno) in Int(t.credentials.effectiveUserID) },
        implement(Linux.getgid) { (t) throws(Errno) in Int(t.credentials.groupID) },
        implement(Linux.getegid) { (t) throws(Errno) in Int(t.credentials.effectiveGroupID) },
        implement(Linux.setuid) { (t, id) throws(Errno) in try t.setuid(id) },
        implement(Linux.setgid) { (t, id) throws(Errno) in try t.setgid(id) },
        implement(Linux.setreuid) { (t, real, effective) throws(Errno) in try t.setreuid(real, effective) },
        implement(Linux.setregid) { (t, real, effective) throws(Errno) in try t.setregid(real, effective) },
        implement(Linux.setresuid) { (t, real, effective, saved) throws(Errno) in
            try t.setresuid(real, effective, saved)
        },
        implement(Linux.setresgid) { (t, real, effective, saved) throws(Errno) in
            try t.setresgid(real, effective, saved)
        },
        implement(Linux.getresuid) { (t, real, effective, saved) throws(Errno) in
            try t.getresuid(real.address, effective.address, saved.address)
        },
        implement(Linux.getresgid) { (t, real, effective, saved) throws(Errno) in
            try t.getresgid(real.address, effective.address, saved.address)
        },
        implement(Linux.setfsuid) { (t, id) throws(Errno) in try t.setfsuid(id) },
        implement(Linux.setfsgid) { (t, id) throws(Errno) in try t.setfsgid(id) },
        implement(Linux.getgroups) { (t, size, list) throws(Errno) in try t.getgroups(size, list.address) },
        implement(Linux.setgroups) { (t, size, list) throws(Errno) in try t.setgroups(size, list.address) },
        implement(Linux.getpgid) { (t, id) throws(Errno) in try t.getpgid(id) },
        implement(Linux.getpgrp) { (t) throws(Errno) in Int(t.process.group.rawValue) },
        implement(Linux.setpgid) { (t, id, group) throws(Errno) in try t.setpgid(id, group) },
        implement(Linux.getsid) { (t, id) throws(Errno) in try t.getsid(id) },
        implement(Linux.setsid) { (t) throws(Errno) in try t.setsid() },
        implement(Linux.capget) { (t, header, data) throws(Errno) in try t.capget(header.address, data.address) },
        implement(Linux.capset) { (t, header, data) throws(Errno) in try t.capset(header.address, data.address) },
        implement(Linux.prctl, .partial("no seccomp, no speculation control, no core scheduling, no PR_SET_MM")) {
            (t, option, a, b, c, d) throws(Errno) in
            try t.prctl(option, a, b, c, d)
        },
        implement(Linux.personality, .partial("beyond ADDR_NO_RANDOMIZE and PER_LINUX32, kept and without effect")) {
            (t, value) throws(Errno) in
            t.personality(value)
        },
    ]
}
