internal import LinuxABI

/// A call that always fails, on purpose.
private func refuse<each Argument: SyscallArgument>(
    _ spec: SyscallSpec<repeat each Argument>, _ error: Errno
) -> SyscallRow {
    SyscallRow(
        number: spec.number, name: spec.name, support: .refused(error), handler: { (_, _) throws(Errno) in throw error }
    )
}

extension SyscallRow {
    /// What a container without privileges is refused as well: mounts, namespaces, the machine itself.
    static let refused: [SyscallRow] = [
        // Restartable sequences live in memory that the host's kernel writes; the C library does without.
        refuse(Linux.rseq, .ENOSYS),
        refuse(Linux.mount, .EPERM), refuse(Linux.umount2, .EPERM), refuse(Linux.pivot_root, .EPERM),
        refuse(Linux.open_tree, .EPERM), refuse(Linux.move_mount, .EPERM), refuse(Linux.fsopen, .EPERM),
        refuse(Linux.fsmount, .EPERM), refuse(Linux.fspick, .EPERM), refuse(Linux.mount_setattr, .EPERM),
        refuse(Linux.setns, .EPERM),
        refuse(Linux.swapon, .EPERM), refuse(Linux.swapoff, .EPERM), refuse(Linux.acct, .EPERM),
        refuse(Linux.reboot, .EPERM), refuse(Linux.kexec_load, .EPERM), refuse(Linux.kexec_file_load, .EPERM),
        refuse(Linux.init_module, .EPERM), refuse(Linux.finit_module, .EPERM), refuse(Linux.delete_module, .EPERM),
        refuse(Linux.iopl, .EPERM), refuse(Linux.ioperm, .EPERM), refuse(Linux.vhangup, .EPERM),
        refuse(Linux.quotactl, .EPERM), refuse(Linux.quotactl_fd, .EPERM),
        refuse(Linux.bpf, .EPERM), refuse(Linux.perf_event_open, .EACCES), refuse(Linux.userfaultfd, .EPERM),
        refuse(Linux.fanotify_init, .EPERM), refuse(Linux.open_by_handle_at, .EPERM),
        refuse(Linux.name_to_handle_at, .EOPNOTSUPP),
    ]
}
