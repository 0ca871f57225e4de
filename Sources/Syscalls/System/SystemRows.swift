internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// Limits, scheduling, and what the system says of itself.
    static let system: [SyscallRow] = [
        implement(Linux.getrlimit) { (t, resource, limit) throws(Errno) in try t.getrlimit(resource, limit.address) },
        implement(Linux.setrlimit) { (t, resource, limit) throws(Errno) in try t.setrlimit(resource, limit.address) },
        implement(Linux.prlimit64) { (t, id, resource, new, old) throws(Errno) in
            try t.prlimit(id, resource, new.address, old.address)
        },
        implement(Linux.getrusage, .partial("only the times and the largest set are counted")) {
            (t, who, usage) throws(Errno) in
            try t.getrusage(who, usage.address)
        },
        implement(Linux.sysinfo, .partial("no load averages")) { (t, info) throws(Errno) in
            try t.sysinfo(info.address)
        },
        implement(Linux.uname) { (t, name) throws(Errno) in try t.uname(name.address) },
        implement(Linux.sethostname) { (t, name, length) throws(Errno) in
            t.kernel.system.hostName = try t.copyInSystemName(name.address, length)
            return 0
        },
        implement(Linux.setdomainname) { (t, name, length) throws(Errno) in
            t.kernel.system.domainName = try t.copyInSystemName(name.address, length)
            return 0
        },
        implement(Linux.getrandom) { (t, buffer, length, flags) throws(Errno) in
            try t.getrandom(buffer.address, length, flags)
        },
        implement(Linux.membarrier, .partial("no restartable sequences, no single processors")) {
            (t, command, flags, _) throws(Errno) in
            try t.membarrier(command, flags)
        },
        implement(Linux.syslog, .partial("the log is empty")) { (t, action, buffer, length) throws(Errno) in
            try t.syslog(action, buffer.address, length)
        },
        implement(Linux.kcmp, .partial("no comparing of epoll's targets")) {
            (t, first, second, type, firstIndex, secondIndex) throws(Errno) in
            try t.kcmp(first, second, type, firstIndex, secondIndex)
        },
        implement(Linux.get_mempolicy, oneNode) { (t, policy, nodes, count, address, flags) throws(Errno) in
            try t.getMempolicy(policy.address, nodes.address, count, address, flags)
        },
        implement(Linux.set_mempolicy, oneNode) { (t, mode, nodes, count) throws(Errno) in
            try t.setMempolicy(mode, nodes.address, count)
        },
        implement(Linux.mbind, oneNode) { (t, start, length, mode, nodes, count, flags) throws(Errno) in
            try t.mbind(start, length, mode, nodes.address, count, flags)
        },
        implement(Linux.unshare, .partial("no namespaces")) { (t, flags) throws(Errno) in try t.unshare(flags) },
    ]

    private static let oneNode = Support.partial("there is one node of memory; policies of ranges are not kept")

    /// sched(7).
    static let scheduling: [SyscallRow] = [
        // Waiting for the kernel is a turn for the others already.
        implement(Linux.sched_yield) { (_) throws(Errno) in 0 },
        implement(Linux.sched_setscheduler, kept) { (t, id, policy, parameters) throws(Errno) in
            try t.schedSetscheduler(id, policy, parameters.address)
        },
        implement(Linux.sched_getscheduler) { (t, id) throws(Errno) in try t.schedGetscheduler(id) },
        implement(Linux.sched_setparam, kept) { (t, id, parameters) throws(Errno) in
            try t.schedSetparam(id, parameters.address)
        },
        implement(Linux.sched_getparam) { (t, id, parameters) throws(Errno) in
            try t.schedGetparam(id, parameters.address)
        },
        implement(Linux.sched_setattr, kept) { (t, id, attributes, flags) throws(Errno) in
            try t.schedSetattr(id, attributes.address, flags)
        },
        implement(Linux.sched_getattr) { (t, id, attributes, size, flags) throws(Errno) in
            try t.schedGetattr(id, attributes.address, size, flags)
        },
        implement(Linux.sched_get_priority_max) { (t, policy) throws(Errno) in
            try t.schedPriorityBound(policy, highest: true)
        },
        implement(Linux.sched_get_priority_min) { (t, policy) throws(Errno) in
            try t.schedPriorityBound(policy, highest: false)
        },
        implement(Linux.sched_rr_get_interval) { (t, id, interval) throws(Errno) in
            try t.schedInterval(id, interval.address)
        },
        implement(Linux.sched_setaffinity, kept) { (t, id, length, mask) throws(Errno) in
            try t.schedSetaffinity(id, length, mask.address)
        },
        implement(Linux.sched_getaffinity) { (t, id, length, mask) throws(Errno) in
            try t.schedGetaffinity(id, length, mask.address)
        },
        implement(Linux.getcpu, .partial("always the first processor that the thread may use")) {
            (t, processor, node, _) throws(Errno) in
            try t.getcpu(processor.address, node.address)
        },
        implement(Linux.getpriority) { (t, which, who) throws(Errno) in try t.getpriority(which, who) },
        implement(Linux.setpriority, kept) { (t, which, who, nice) throws(Errno) in
            try t.setpriority(which, who, nice)
        },
        implement(Linux.ioprio_set, kept) { (t, which, who, priority) throws(Errno) in
            try t.ioprioSet(which, who, priority)
        },
        implement(Linux.ioprio_get) { (t, which, who) throws(Errno) in try t.ioprioGet(which, who) },
    ]

    private static let kept = Support.partial("kept and shown; the host schedules as it does")
}
