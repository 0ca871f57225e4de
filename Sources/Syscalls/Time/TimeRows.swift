internal import Kernel
internal import LinuxABI

extension SyscallRow {
    /// time(7).
    static let time: [SyscallRow] = [
        implement(Linux.clock_gettime) { (thread, number, time) throws(Errno) in
            try thread.clockGettime(number, time.address)
        },
        implement(Linux.clock_settime, .refused(.EPERM)) { (thread, number, time) throws(Errno) in
            try thread.clockSettime(number, time.address)
        },
        implement(Linux.clock_getres) { (thread, number, time) throws(Errno) in
            try thread.clockGetres(number, time.address)
        },
        implement(Linux.clock_nanosleep) { (thread, number, flags, request, remainder) throws(Errno) in
            try thread.clockNanosleep(number, flags, request.address, remainder.address)
        },
        implement(Linux.nanosleep) { (thread, request, remainder) throws(Errno) in
            try thread.nanosleep(request.address, remainder.address)
        },
        implement(Linux.gettimeofday) { (thread, time, zone) throws(Errno) in
            try thread.gettimeofday(time.address, zone.address)
        },
        implement(Linux.settimeofday, .refused(.EPERM)) { (thread, time, zone) throws(Errno) in
            try thread.settimeofday(time.address, zone.address)
        },
        implement(Linux.time) { (thread, address) throws(Errno) in
            try thread.time(address.address)
        },
        implement(Linux.times, .partial("all CPU time counts as user time")) { (thread, address) throws(Errno) in
            try thread.times(address.address)
        },
        implement(Linux.setitimer, .partial("the CPU timers are looked at every 4 ms")) {
            (thread, which, new, old) throws(Errno) in
            try thread.setitimer(which, new.address, old.address)
        },
        implement(Linux.getitimer) { (thread, which, value) throws(Errno) in
            try thread.getitimer(which, value.address)
        },
        implement(Linux.alarm) { (thread, seconds) throws(Errno) in
            try thread.alarm(seconds)
        },
        implement(Linux.timer_create) { (thread, clock, event, id) throws(Errno) in
            try thread.timerCreate(clock, event.address, id.address)
        },
        implement(Linux.timer_settime) { (thread, id, flags, new, old) throws(Errno) in
            try thread.timerSettime(id, flags, new.address, old.address)
        },
        implement(Linux.timer_gettime) { (thread, id, setting) throws(Errno) in
            try thread.timerGettime(id, setting.address)
        },
        implement(Linux.timer_getoverrun) { (thread, id) throws(Errno) in
            try thread.timerGetoverrun(id)
        },
        implement(Linux.timer_delete) { (thread, id) throws(Errno) in
            try thread.timerDelete(id)
        },
        implement(Linux.adjtimex, .partial("reads only")) { (thread, state) throws(Errno) in
            try thread.adjtimex(state.address)
        },
        implement(Linux.clock_adjtime, .partial("reads only")) { (thread, clock, state) throws(Errno) in
            try thread.clockAdjtime(clock, state.address)
        },
    ]
}
