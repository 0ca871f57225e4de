internal import ELFImage
package import Kernel
package import LinuxABI
internal import Platform
internal import VFS

/// execve(2), execveat(2).
extension GuestThread {
    /// More strings than this no argument list has (`MAX_ARG_STRINGS` would be 2^31): their pointers alone reach the limit.
    private static let maximumStrings = 1 << 20

    func execve(
        _ directory: FileNumber, _ pointer: UserString, _ arguments: UInt, _ environment: UInt, _ flags: UInt32
    ) throws(Errno) -> Int {
        guard flags & ~0x1100 == 0 else { throw .EINVAL }
        let path = try copyInPath(from: pointer)
        var options: WalkOptions = flags & 0x100 == 0 ? [.followLast] : []
        if flags & 0x1000 != 0 { options.insert(.allowEmpty) }
        let dentry = try resolve(directory, path, options)
        try checkProgram(dentry)
        // Both lists mostly stand in one page, and so do their strings.
        var (pointers, texts) = (PageReader(self), PageReader(self))
        let argumentStrings = try copyInStrings(arguments, &pointers, &texts)
        let environmentStrings = try copyInStrings(environment, &pointers, &texts)
        var name = ProgramName(path: path)
        if directory != .currentDirectory, path.first != 0x2f {
            name.path = Array("/dev/fd/\(directory)".utf8) + (path.isEmpty ? [] : [0x2f] + path)
            name.isDescriptor = path.isEmpty
            name.isLost = try files.closeOnExec(directory)
        }
        try execute(dentry, name, argumentStrings, environmentStrings)
        throw .noReturn
    }

    /// A NULL-terminated vector of strings; NULL itself counts as empty, as Linux has it.
    private func copyInStrings(
        _ vector: UInt, _ pointers: inout PageReader, _ texts: inout PageReader
    ) throws(Errno) -> [[UInt8]] {
        guard vector != 0 else { return [] }
        var strings: [[UInt8]] = []
        var total = 0
        let limit = InitialStack.limit(stackLimit: process.limits.stack.soft)
        while true {
            let pointer = try pointers.word(at: vector &+ UInt(strings.count * 8))
            guard pointer != 0 else { return strings }
            let string = try texts.string(at: pointer, limit: InitialStack.maximumString)
            total += string.count + 9
            guard total <= limit, strings.count < GuestThread.maximumStrings else { throw .E2BIG }
            strings.append(string)
        }
    }

    /// What the sandbox starts with: a program by its path, for a thread that is in no call. Throws `noReturn` when the
    /// program has taken over.
    package func execute(path: [UInt8], _ arguments: [[UInt8]], _ environment: [[UInt8]]) throws(Errno) {
        let dentry = try resolve(.currentDirectory, path, [.followLast])
        try execute(dentry, ProgramName(path: path), arguments, environment)
    }

    /// Finds the program behind a file, through any scripts, and hands it to the kernel.
    private func execute(
        _ dentry: Dentry, _ name: ProgramName, _ arguments: [[UInt8]], _ environment: [[UInt8]]
    ) throws(Errno) {
        var dentry = dentry
        var current = name.path
        // An empty argument list gets one empty string: see execve(2).
        var arguments = arguments.isEmpty ? [[]] : arguments
        for _ in 0...ScriptHeader.maximumDepth {
            let file = try openProgram(dentry)
            file.retain()
            defer { file.release() }
            let source = ProgramSource(file)
            guard let script = try ScriptHeader(try source.read(at: 0, count: ScriptHeader.bufferSize)) else {
                return try execute(dentry, file, source, name, arguments, environment)
            }
            // The interpreter could not open the script.
            if name.isLost { throw .ENOENT }
            arguments = script.arguments(script: current, original: arguments)
            current = script.interpreter
            dentry = try resolveInterpreter(script.interpreter)
        }
        throw .ELOOP
    }

    /// What a script or a program names as its interpreter. No name at all is the current directory, which can't be
    /// executed: EACCES, as Linux has it, and not ENOENT.
    private func resolveInterpreter(_ path: [UInt8]) throws(Errno) -> Dentry {
        try resolve(.currentDirectory, path, [.followLast, .allowEmpty])
    }

    /// `ADDR_NO_RANDOMIZE`.
    private static let addressesStay: UInt32 = 0x004_0000

    /// Throws EACCES for what may not be executed, ELOOP for a symbolic link that was not to be followed.
    private func checkProgram(_ dentry: Dentry) throws(Errno) {
        guard dentry.inode.kind == .regular else { throw dentry.inode.kind == .symbolicLink ? .ELOOP : .EACCES }
        try fileCredentials.check(.execute, try dentry.inode.attributes())
        guard dentry.inode.locks.writers == 0 else { throw .ETXTBSY }
    }

    /// A file that may be executed, open for reading by the kernel.
    private func openProgram(_ dentry: Dentry) throws(Errno) -> OpenFile {
        try checkProgram(dentry)
        return OpenFile(try dentry.inode.open([]), flags: [.largeFile], location: dentry)
    }

    private func execute(
        _ dentry: Dentry, _ file: OpenFile, _ source: ProgramSource, _ name: ProgramName, _ arguments: [[UInt8]],
        _ environment: [[UInt8]]
    ) throws(Errno) {
        let placement = ImagePlacement(isRandom: settings.personality & GuestThread.addressesStay == 0)
        var mappingTop = placement.mappingTop
        let plan = try LoadPlan(of: source, taskSize: GuestLayout.taskSize) { span, hasInterpreter throws(Errno) in
            guard hasInterpreter else {
                // A program that is its own loader goes where libraries go.
                guard span < mappingTop else { throw .ENOMEM }
                mappingTop = (mappingTop - span) & ~(GuestLayout.pageSize - 1)
                return mappingTop
            }
            return placement.programBase
        }
        var interpreter: (file: OpenFile, plan: LoadPlan)?
        if let path = plan.interpreter {
            let place = try resolveInterpreter(path)
            let loader = try openProgram(place)
            let loaderPlan = try LoadPlan(
                interpreter: ProgramSource(loader), taskSize: GuestLayout.taskSize
            ) { span throws(Errno) in
                guard span < mappingTop else { throw .ENOMEM }
                return (mappingTop - span) & ~(GuestLayout.pageSize - 1)
            }
            interpreter = (loader, loaderPlan)
        }
        interpreter?.file.retain()
        defer { interpreter?.file.release() }
        var image = Executable(
            dentry: dentry, file: file, plan: plan, interpreter: interpreter, arguments: arguments,
            environment: environment, name: name.path, credentials: credentials)
        image.isNamedByFile = name.isDescriptor
        try changeIdentity(&image, try dentry.inode.attributes())
        try kernel.execute(self, image, placement)
    }

    /// Set-id programs and what root's capabilities become: see `capabilities(7)`, "Transformation of capabilities".
    private func changeIdentity(_ image: inout Executable, _ attributes: FileAttributes) throws(Errno) {
        let (new, isSecure) = credentials.afterExec(
            mode: attributes.mode, owner: attributes.userID, group: attributes.groupID,
            mayGain: !credentials.noNewPrivileges)
        image.isSecure = isSecure
        let mayRead = (try? fileCredentials.check(.read, attributes)) != nil
        image.outranksCaller =
            isSecure || !mayRead || new.effectiveUserID != credentials.effectiveUserID
            || new.effectiveGroupID != credentials.effectiveGroupID
            || new.permittedCapabilities & ~credentials.permittedCapabilities != 0
        image.credentials = new
    }
}

/// How execve's caller named a program.
private struct ProgramName {
    /// As given; below /dev/fd for one that is named by a descriptor.
    var path: [UInt8]
    /// A descriptor and nothing else names it.
    var isDescriptor = false
    /// The descriptor closes with the old program: an interpreter would look for the script in vain.
    var isLost = false
}

/// Guest memory a page at a time: there may be hundreds of thousands of strings, next to each other as a rule.
private struct PageReader {
    private let thread: GuestThread
    private var start: UInt = 0
    private var bytes: [UInt8] = []

    init(_ thread: GuestThread) { self.thread = thread }

    /// Where the address stands in `bytes`, which are read if need be. Throws EFAULT.
    private mutating func index(of address: UInt) throws(Errno) -> Int {
        if address < start || address - start >= UInt(bytes.count) {
            start = address & ~4095
            bytes = try thread.copyIn(4096, from: start)
        }
        return Int(address - start)
    }

    mutating func word(at address: UInt) throws(Errno) -> UInt {
        guard address % 8 == 0 else { return try thread.copyIn(UInt.self, from: address) }
        let index = try index(of: address)
        var reader = ByteReader(bytes, from: index)
        return reader.take()
    }

    /// Without the NUL. Throws E2BIG when there is none within the limit.
    mutating func string(at address: UInt, limit: Int) throws(Errno) -> [UInt8] {
        var string: [UInt8] = []
        var next = address
        while string.count < limit {
            let index = try index(of: next)
            let piece = bytes[index...].prefix(limit - string.count)
            if let end = piece.firstIndex(of: 0) { return string + piece[..<end] }
            string += piece
            let (after, overflow) = next.addingReportingOverflow(UInt(piece.count))
            guard !overflow else { throw .EFAULT }
            next = after
        }
        throw .E2BIG
    }
}

/// A program's bytes, as the loader asks for them.
final class ProgramSource: ImageSource {
    private let file: OpenFile
    /// Its headers mostly stand in there, which the loader asks for one by one; nil before it has.
    private var beginning: [UInt8]?
    private static let beginningSize = 1024

    init(_ file: OpenFile) { self.file = file }

    func read(at offset: UInt64, count: Int) throws(Errno) -> [UInt8] {
        guard offset <= UInt64(Int64.max), count > 0 else { return [] }
        guard count <= ProgramSource.beginningSize, offset <= UInt64(ProgramSource.beginningSize - count) else {
            return try fetch(at: offset, count: count)
        }
        let known: [UInt8]
        if let beginning {
            known = beginning
        } else {
            known = try fetch(at: 0, count: ProgramSource.beginningSize)
            beginning = known
        }
        return Array(known.dropFirst(Int(offset)).prefix(count))
    }

    private func fetch(at offset: UInt64, count: Int) throws(Errno) -> [UInt8] {
        try [UInt8](capacity: count) { output throws(Errno) in
            try file.operations.read(file, into: &output, at: Int64(offset))
        }
    }
}
