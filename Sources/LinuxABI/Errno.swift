/// A Linux error number, as a system call reports it to the guest. See `errno(3)`.
///
/// Numbers above 4095 never leave the kernel: they tell the loop what to do with the call (`parked` and its like).
package struct Errno: Error, Hashable, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    @inline(__always)
    private init(_ rawValue: Int32) { self.rawValue = rawValue }

    package static var EPERM: Errno { Errno(1) }
    package static var ENOENT: Errno { Errno(2) }
    package static var ESRCH: Errno { Errno(3) }
    package static var EINTR: Errno { Errno(4) }
    package static var EIO: Errno { Errno(5) }
    package static var ENXIO: Errno { Errno(6) }
    package static var E2BIG: Errno { Errno(7) }
    package static var ENOEXEC: Errno { Errno(8) }
    package static var EBADF: Errno { Errno(9) }
    package static var ECHILD: Errno { Errno(10) }
    package static var EAGAIN: Errno { Errno(11) }
    package static var ENOMEM: Errno { Errno(12) }
    package static var EACCES: Errno { Errno(13) }
    package static var EFAULT: Errno { Errno(14) }
    package static var ENOTBLK: Errno { Errno(15) }
    package static var EBUSY: Errno { Errno(16) }
    package static var EEXIST: Errno { Errno(17) }
    package static var EXDEV: Errno { Errno(18) }
    package static var ENODEV: Errno { Errno(19) }
    package static var ENOTDIR: Errno { Errno(20) }
    package static var EISDIR: Errno { Errno(21) }
    package static var EINVAL: Errno { Errno(22) }
    package static var ENFILE: Errno { Errno(23) }
    package static var EMFILE: Errno { Errno(24) }
    package static var ENOTTY: Errno { Errno(25) }
    package static var ETXTBSY: Errno { Errno(26) }
    package static var EFBIG: Errno { Errno(27) }
    package static var ENOSPC: Errno { Errno(28) }
    package static var ESPIPE: Errno { Errno(29) }
    package static var EROFS: Errno { Errno(30) }
    package static var EMLINK: Errno { Errno(31) }
    package static var EPIPE: Errno { Errno(32) }
    package static var EDOM: Errno { Errno(33) }
    package static var ERANGE: Errno { Errno(34) }
    package static var EDEADLK: Errno { Errno(35) }
    package static var ENAMETOOLONG: Errno { Errno(36) }
    package static var ENOLCK: Errno { Errno(37) }
    package static var ENOSYS: Errno { Errno(38) }
    package static var ENOTEMPTY: Errno { Errno(39) }
    package static var ELOOP: Errno { Errno(40) }
    package static var ENOMSG: Errno { Errno(42) }
    package static var EIDRM: Errno { Errno(43) }
    package static var ECHRNG: Errno { Errno(44) }
    package static var EL2NSYNC: Errno { Errno(45) }
    package static var EL3HLT: Errno { Errno(46) }
    package static var EL3RST: Errno { Errno(47) }
    package static var ELNRNG: Errno { Errno(48) }
    package static var EUNATCH: Errno { Errno(49) }
    package static var ENOCSI: Errno { Errno(50) }
    package static var EL2HLT: Errno { Errno(51) }
    package static var EBADE: Errno { Errno(52) }
    package static var EBADR: Errno { Errno(53) }
    package static var EXFULL: Errno { Errno(54) }
    package static var ENOANO: Errno { Errno(55) }
    package static var EBADRQC: Errno { Errno(56) }
    package static var EBADSLT: Errno { Errno(57) }
    package static var EBFONT: Errno { Errno(59) }
    package static var ENOSTR: Errno { Errno(60) }
    package static var ENODATA: Errno { Errno(61) }
    package static var ETIME: Errno { Errno(62) }
    package static var ENOSR: Errno { Errno(63) }
    package static var ENONET: Errno { Errno(64) }
    package static var ENOPKG: Errno { Errno(65) }
    package static var EREMOTE: Errno { Errno(66) }
    package static var ENOLINK: Errno { Errno(67) }
    package static var EADV: Errno { Errno(68) }
    package static var ESRMNT: Errno { Errno(69) }
    package static var ECOMM: Errno { Errno(70) }
    package static var EPROTO: Errno { Errno(71) }
    package static var EMULTIHOP: Errno { Errno(72) }
    package static var EDOTDOT: Errno { Errno(73) }
    package static var EBADMSG: Errno { Errno(74) }
    package static var EOVERFLOW: Errno { Errno(75) }
    package static var ENOTUNIQ: Errno { Errno(76) }
    package static var EBADFD: Errno { Errno(77) }
    package static var EREMCHG: Errno { Errno(78) }
    package static var ELIBACC: Errno { Errno(79) }
    package static var ELIBBAD: Errno { Errno(80) }
    package static var ELIBSCN: Errno { Errno(81) }
    package static var ELIBMAX: Errno { Errno(82) }
    package static var ELIBEXEC: Errno { Errno(83) }
    package static var EILSEQ: Errno { Errno(84) }
    package static var ERESTART: Errno { Errno(85) }
    package static var ESTRPIPE: Errno { Errno(86) }
    package static var EUSERS: Errno { Errno(87) }
    package static var ENOTSOCK: Errno { Errno(88) }
    package static var EDESTADDRREQ: Errno { Errno(89) }
    package static var EMSGSIZE: Errno { Errno(90) }
    package static var EPROTOTYPE: Errno { Errno(91) }
    package static var ENOPROTOOPT: Errno { Errno(92) }
    package static var EPROTONOSUPPORT: Errno { Errno(93) }
    package static var ESOCKTNOSUPPORT: Errno { Errno(94) }
    package static var EOPNOTSUPP: Errno { Errno(95) }
    package static var EPFNOSUPPORT: Errno { Errno(96) }
    package static var EAFNOSUPPORT: Errno { Errno(97) }
    package static var EADDRINUSE: Errno { Errno(98) }
    package static var EADDRNOTAVAIL: Errno { Errno(99) }
    package static var ENETDOWN: Errno { Errno(100) }
    package static var ENETUNREACH: Errno { Errno(101) }
    package static var ENETRESET: Errno { Errno(102) }
    package static var ECONNABORTED: Errno { Errno(103) }
    package static var ECONNRESET: Errno { Errno(104) }
    package static var ENOBUFS: Errno { Errno(105) }
    package static var EISCONN: Errno { Errno(106) }
    package static var ENOTCONN: Errno { Errno(107) }
    package static var ESHUTDOWN: Errno { Errno(108) }
    package static var ETOOMANYREFS: Errno { Errno(109) }
    package static var ETIMEDOUT: Errno { Errno(110) }
    package static var ECONNREFUSED: Errno { Errno(111) }
    package static var EHOSTDOWN: Errno { Errno(112) }
    package static var EHOSTUNREACH: Errno { Errno(113) }
    package static var EALREADY: Errno { Errno(114) }
    package static var EINPROGRESS: Errno { Errno(115) }
    package static var ESTALE: Errno { Errno(116) }
    package static var EUCLEAN: Errno { Errno(117) }
    package static var ENOTNAM: Errno { Errno(118) }
    package static var ENAVAIL: Errno { Errno(119) }
    package static var EISNAM: Errno { Errno(120) }
    package static var EREMOTEIO: Errno { Errno(121) }
    package static var EDQUOT: Errno { Errno(122) }
    package static var ENOMEDIUM: Errno { Errno(123) }
    package static var EMEDIUMTYPE: Errno { Errno(124) }
    package static var ECANCELED: Errno { Errno(125) }
    package static var ENOKEY: Errno { Errno(126) }
    package static var EKEYEXPIRED: Errno { Errno(127) }
    package static var EKEYREVOKED: Errno { Errno(128) }
    package static var EKEYREJECTED: Errno { Errno(129) }
    package static var EOWNERDEAD: Errno { Errno(130) }
    package static var ENOTRECOVERABLE: Errno { Errno(131) }
    package static var ERFKILL: Errno { Errno(132) }
    package static var EHWPOISON: Errno { Errno(133) }
    package static var EWOULDBLOCK: Errno { Errno(11) }
    package static var ENOTSUP: Errno { Errno(95) }

    // Never visible to a guest: what an interrupted call asks for, with Linux's own numbers (`include/linux/errno.h`).

    /// Restart if the handler of the signal has `SA_RESTART` or none runs, else EINTR.
    package static var ERESTARTSYS: Errno { Errno(512) }
    /// Restart always.
    package static var ERESTARTNOINTR: Errno { Errno(513) }
    /// Restart if no handler runs, else EINTR.
    package static var ERESTARTNOHAND: Errno { Errno(514) }
    /// Restart by `restart_syscall(2)` with what stands in the thread's restart state if no handler runs, else EINTR.
    package static var ERESTART_RESTARTBLOCK: Errno { Errno(516) }

    /// The call waits: the thread has said for what, and the handler runs again when it fires.
    package static var parked: Errno { Errno(5000) }
    /// The call has replaced or ended the thread that made it: nothing is returned to it.
    package static var noReturn: Errno { Errno(5001) }
}

extension Errno {
    /// The symbol, as `errno(3)` spells it.
    package var name: String {
        let index = Int(rawValue)
        return index >= 0 && index < Errno.names.count ? Errno.names[index] : "errno \(rawValue)"
    }

    private static let names: [String] = [
        "0", "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD", "EAGAIN",
        "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR",
        "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS", "EMLINK", "EPIPE",
        "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY", "ELOOP", "errno 41", "ENOMSG",
        "EIDRM", "ECHRNG", "EL2NSYNC", "EL3HLT", "EL3RST", "ELNRNG", "EUNATCH", "ENOCSI", "EL2HLT", "EBADE",
        "EBADR", "EXFULL", "ENOANO", "EBADRQC", "EBADSLT", "errno 58", "EBFONT", "ENOSTR", "ENODATA", "ETIME",
        "ENOSR", "ENONET", "ENOPKG", "EREMOTE", "ENOLINK", "EADV", "ESRMNT", "ECOMM", "EPROTO", "EMULTIHOP",
        "EDOTDOT", "EBADMSG", "EOVERFLOW", "ENOTUNIQ", "EBADFD", "EREMCHG", "ELIBACC", "ELIBBAD", "ELIBSCN",
        "ELIBMAX", "ELIBEXEC", "EILSEQ", "ERESTART", "ESTRPIPE", "EUSERS", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE",
        "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT",
        "EAFNOSUPPORT", "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED",
        "ECONNRESET", "ENOBUFS", "EISCONN", "ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED",
        "EHOSTDOWN", "EHOSTUNREACH", "EALREADY", "EINPROGRESS", "ESTALE", "EUCLEAN", "ENOTNAM", "ENAVAIL", "EISNAM",
        "EREMOTEIO", "EDQUOT", "ENOMEDIUM", "EMEDIUMTYPE", "ECANCELED", "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED",
        "EKEYREJECTED", "EOWNERDEAD", "ENOTRECOVERABLE", "ERFKILL", "EHWPOISON",
    ]
}

extension Errno: CustomStringConvertible {
    package var description: String { name }
}
