internal import TraceModel

extension StructureDecoder {
    /// `struct stat`. Whose inode and device it is, and when, differs from host to host.
    func stat(_ bytes: Bytes) -> Decoded {
        let mode = bytes.u32(24)
        var fields = [
            Decoded.field("st_dev", .scalar(device(bytes.u64(0)), .device)),
            Decoded.field("st_ino", .number(bytes.u64(8), .inode)), Decoded.field("st_mode", .scalar(fileMode(mode))),
            Decoded.field("st_nlink", .number(bytes.u64(16))), Decoded.field("st_uid", .number(bytes.u32(28))),
            Decoded.field("st_gid", .number(bytes.u32(32))), Decoded.field("st_blksize", .number(bytes.i64(56))),
            Decoded.field("st_blocks", .number(bytes.i64(64), blocksKind(mode))),
        ]
        if mode & 0xf000 == 0x2000 || mode & 0xf000 == 0x6000 {
            fields.append(Decoded.field("st_rdev", .scalar(device(bytes.u64(40)))))
        } else {
            fields.append(Decoded.field("st_size", .number(bytes.i64(48), blocksKind(mode))))
        }
        for (index, name) in ["st_atime", "st_mtime", "st_ctime"].enumerated() {
            fields.append(Decoded.field(name, .scalar(seconds(bytes, 72 + 16 * index), .time)))
        }
        return .structure(fields)
    }

    /// `struct statx`.
    func statx(_ bytes: Bytes) -> Decoded {
        let mode = UInt32(bytes.u16(28))
        return .structure([
            Decoded.field("stx_mask", .flags("statx_mask", UInt64(bytes.u32(0)))),
            Decoded.field("stx_blksize", .number(bytes.u32(4))), Decoded.field("stx_attributes", .hex(bytes.u64(8))),
            Decoded.field("stx_nlink", .number(bytes.u32(16))), Decoded.field("stx_uid", .number(bytes.u32(20))),
            Decoded.field("stx_gid", .number(bytes.u32(24))), Decoded.field("stx_mode", .scalar(fileMode(mode))),
            Decoded.field("stx_ino", .number(bytes.u64(32), .inode)),
            Decoded.field("stx_size", .number(bytes.u64(40), blocksKind(mode))),
            Decoded.field("stx_blocks", .number(bytes.u64(48), blocksKind(mode))),
            Decoded.field("stx_attributes_mask", .hex(bytes.u64(56))),
            Decoded.field("stx_atime", .scalar(seconds(bytes, 64), .time)),
            Decoded.field("stx_btime", .scalar(seconds(bytes, 80), .time)),
            Decoded.field("stx_ctime", .scalar(seconds(bytes, 96), .time)),
            Decoded.field("stx_mtime", .scalar(seconds(bytes, 112), .time)),
            Decoded.field("stx_rdev_major", .number(bytes.u32(128))),
            Decoded.field("stx_rdev_minor", .number(bytes.u32(132))),
            Decoded.field("stx_dev_major", .number(bytes.u32(136), .device)),
            Decoded.field("stx_dev_minor", .number(bytes.u32(140), .device)),
        ])
    }

    /// `struct statfs`. How much room is left is the host's business.
    func statfs(_ bytes: Bytes) -> Decoded {
        .structure([
            Decoded.field("f_type", .hex(bytes.u64(0))), Decoded.field("f_bsize", .number(bytes.i64(8))),
            Decoded.field("f_blocks", .number(bytes.u64(16), .usage)),
            Decoded.field("f_bfree", .number(bytes.u64(24), .usage)),
            Decoded.field("f_bavail", .number(bytes.u64(32), .usage)),
            Decoded.field("f_files", .number(bytes.u64(40), .usage)),
            Decoded.field("f_ffree", .number(bytes.u64(48), .usage)),
            Decoded.field("f_fsid", .hex(bytes.u64(56), .device)), Decoded.field("f_namelen", .number(bytes.i64(64))),
            Decoded.field("f_frsize", .number(bytes.i64(72))), Decoded.field("f_flags", .hex(bytes.u64(80))),
        ])
    }

    /// A buffer of `linux_dirent64`: each entry says how long it is.
    func directoryEntries(_ bytes: [UInt8], isCut: Bool) -> Decoded {
        var entries: [Decoded] = []
        var start = 0
        while start + 19 < bytes.count {
            let entry = Bytes(bytes[start...].prefix(280))
            let length = Int(entry.u16(16))
            guard length > 19, start + length <= bytes.count else { break }
            let name = entry.string(19, length - 19)
            let type = UInt64(bytes[start + 18])
            // The length of an entry follows from that of its name, unless it is wrong.
            let isRegular = length == (19 + name.count + 1 + 7) & ~7
            entries.append(
                .structure([
                    Decoded.field("d_ino", .number(entry.u64(0), .inode)),
                    Decoded.field("d_off", .number(entry.i64(8), .inode)),
                    Decoded.field("d_reclen", .number(length, isRegular ? .idle : .plain)),
                    Decoded.field("d_type", .flags("directory_entry_type", type)),
                    Decoded.field("d_name", .bytes(name, fullLength: UInt64(name.count))),
                ]))
            start += length
        }
        return .list(entries, isCut: isCut || start < bytes.count)
    }

    /// `struct flock`.
    func fileLock(_ bytes: Bytes) -> Decoded {
        // F_GETLK, F_SETLK and F_SETLKW do not look at what is given for a process.
        let isIdle = !isOutput && (5...7).contains(arguments[1])
        return .structure([
            Decoded.field("l_type", .flags("lock_type", UInt64(bytes.u16(0)))),
            Decoded.field("l_whence", .flags("whence", UInt64(bytes.u16(2)))),
            Decoded.field("l_start", .number(bytes.i64(8))), Decoded.field("l_len", .number(bytes.i64(16))),
            Decoded.field("l_pid", isIdle ? .number(bytes.i32(24), .idle) : .process(bytes.i32(24))),
        ])
    }

    /// `struct open_how`.
    func openHow(_ bytes: Bytes) -> Decoded {
        .structure([
            Decoded.field("flags", .flags("open_flags", bytes.u64(0))), Decoded.field("mode", .octal(bytes.u64(8))),
            Decoded.field("resolve", .hex(bytes.u64(16))),
        ])
    }

    private func fileMode(_ mode: UInt32) -> String {
        let type = UInt64(mode & 0xf000)
        let permissions = "0" + String(mode & 0xfff, radix: 8)
        return type == 0 ? permissions : FlagLists.text("file_type", type) + "|" + permissions
    }

    /// A directory's size is its file system's own affair.
    private func blocksKind(_ mode: UInt32) -> ValueKind { mode & 0xf000 == 0x4000 ? .usage : .plain }

    private func device(_ number: UInt64) -> String {
        let major = (number >> 8) & 0xfff | (number >> 32) & 0xffff_f000
        let minor = number & 0xff | (number >> 12) & 0xffff_ff00
        return "makedev(0x\(String(major, radix: 16)), 0x\(String(minor, radix: 16)))"
    }

    /// Seconds and nanoseconds as one decimal number.
    private func seconds(_ bytes: Bytes, _ offset: Int) -> String {
        let nanoseconds = String(bytes.u32(offset + 8))
        return "\(bytes.i64(offset))." + String(repeating: "0", count: max(0, 9 - nanoseconds.count)) + nanoseconds
    }
}
