package import ELFImage
internal import HostSystem
package import LinuxABI
internal import Platform
package import VFS

/// A program that is about to replace a process's: what `execve(2)` has found before the point of no return.
package struct Executable {
    package var dentry: Dentry
    package var file: OpenFile
    package var plan: LoadPlan
    package var interpreter: (file: OpenFile, plan: LoadPlan)?
    package var arguments: [[UInt8]]
    package var environment: [[UInt8]]
    /// The path as given, for AT_EXECFN.
    package var name: [UInt8]
    /// The thread is called like the file, since a descriptor alone names the program.
    package var isNamedByFile = false
    package var credentials: Credentials
    package var isSecure = false
    /// The program may do or see what its caller may not: nothing that the caller can have prepared may be there.
    package var outranksCaller = false

    package init(
        dentry: Dentry, file: OpenFile, plan: LoadPlan, interpreter: (file: OpenFile, plan: LoadPlan)?,
        arguments: [[UInt8]], environment: [[UInt8]], name: [UInt8], credentials: Credentials
    ) {
        self.dentry = dentry
        self.file = file
        self.plan = plan
        self.interpreter = interpreter
        self.arguments = arguments
        self.environment = environment
        self.name = name
        self.credentials = credentials
    }
}

/// Where a new program's parts go.
package struct ImagePlacement {
    /// Past the last byte of the stack.
    package let stackTop: UInt
    package let mappingTop: UInt
    package let programBase: UInt
    package let heapGap: UInt
    package let random: [UInt8]
    package let shuffle: UInt

    /// Chosen anew for each program, as Linux's address space layout randomization does, unless the personality says
    /// ADDR_NO_RANDOMIZE. Mappings vary by 26 bits, not by Linux's 28: programs under ThreadSanitizer want them above
    /// 0x7e8000000000.
    package init(isRandom: Bool) {
        let bytes = Host.random(64)
        random = Array(bytes.prefix(16))
        var reader = ByteReader(isRandom ? Array(bytes.dropFirst(16)) : [UInt8](repeating: 0, count: 48))
        func pages(_ bits: UInt) -> UInt { (reader.take(UInt.self) & ((1 << bits) - 1)) << 12 }
        stackTop = GuestLayout.taskSize - (1 << 30) - pages(22)
        mappingTop = stackTop - (1 << 34) - pages(26)
        programBase = 0x5555_5555_4000 + pages(28)
        heapGap = pages(13)
        shuffle = reader.take(UInt.self) % InitialStack.shuffleRange
    }
}

/// The second half of `execve(2)`.
extension Kernel {
    /// Replaces the program of the thread's process. The call does not return: the new program starts.
    package func execute(_ thread: GuestThread, _ image: Executable, _ placement: ImagePlacement) throws(Errno) {
        guard let platform, let oldMap = thread.map, let oldStub = thread.stub else { throw .ENOSYS }
        let stackLimit = min(thread.process.limits.stack.soft, 64 << 20)
        let stackSize = max(UInt(stackLimit) & ~(GuestLayout.pageSize - 1), 0x24000)
        let stackRange = placement.stackTop - stackSize..<placement.stackTop
        let taken = [image.plan.span, image.interpreter?.plan.span ?? 0..<0, stackRange]
        let vdsoStart = vdso?.place(besides: taken, below: placement.mappingTop)
        let stack = try InitialStack(
            top: placement.stackTop, arguments: image.arguments, environment: image.environment, executable: image.name,
            facts: facts(image, placement, vdso: vdsoStart.flatMap { vdso?.imageAddress(from: $0) }),
            limit: InitialStack.limit(stackLimit: stackLimit))
        // A process that shares its memory, or has other threads there, starts in a stub of its own. So does one that gains
        // rights: what its caller may have kept of the old stub (docs/decisions/0016-what-a-stub-may-call.md) is of no use.
        let isAlone = oldMap.users == 1 && !image.outranksCaller
        let stub = isAlone ? oldStub : try platform.newProcess()

        let formerID = thread.id
        endOtherThreads(of: thread)
        thread.releaseFutexesAtExec()
        let map = MemoryMap(stub: stub.process)
        map.users = 1
        map.mappingTop = placement.mappingTop
        map.auxiliaryVector = stack.auxiliaryVector
        map.stackStart = stack.stackPointer
        var commands: [StubCommand] = [.unmapAll]
        do throws(Errno) {
            if let failure = image.plan.failure ?? image.interpreter?.plan.failure { throw failure }
            commands += try map.load(image.plan, image.file)
            if let interpreter = image.interpreter { commands += try map.load(interpreter.plan, interpreter.file) }
            if patchesSites {
                commands += map.makeTrampolineZone(
                    below: image.interpreter == nil ? image.plan.span.lowerBound : nil)
            }
            commands += try map.makeStack(stackRange, executable: image.plan.hasExecutableStack)
            if let vdso, let vdsoStart { commands += map.add(vdso, at: vdsoStart) }
        } catch {
            if !isAlone { stub.process.disown(stub) }
            failLate(thread, error)
            throw .noReturn
        }
        // A loader goes where libraries go, where nothing could grow.
        let imageEnd = image.plan.isLoader ? placement.programBase : MemoryMap.pageUp(image.plan.end) ?? image.plan.end
        let heapStart = imageEnd + placement.heapGap
        map.heap = heapStart..<heapStart
        // What it leaves to others counts as its own, too.
        if !isAlone { thread.process.measurePeak() }
        become(thread, image, stack)
        thread.countLocalTransfers()
        thread.map = map
        thread.stub = stub
        stub.owner = thread
        if isAlone {
            oldMap.removeAll()
            oldMap.localFiles?.release()
            pipes.forget(oldMap)
            dropCards(of: oldMap)
            dropMappings(of: oldMap)
            dropWrites(of: oldMap)
        } else {
            leave(oldMap, stub: oldStub)
        }
        thread.process.hasExecuted = true
        thread.process.endEvents.wakeAll()

        thread.registers = UserRegisters()
        thread.registers.rip = image.interpreter?.plan.entry ?? image.plan.entry
        thread.registers.rsp = stack.stackPointer
        thread.commands = []
        let bytes = stack.bytes
        let pointer = stack.stackPointer
        let start: (GuestThread) -> Void = { [unowned self] thread in
            // Not before: only now is it known which process that is.
            thread.memory = stub.process.memory
            if bytes.count <= StubThread.mostCarried, sink == nil, !platform.isTracing, thread.canSimplyBegin {
                return begin(thread, through: stub, commands + [.copy(address: pointer, count: bytes.count)], bytes)
            }
            var answer = StubAnswer()
            answer.commands = commands
            answer.reports = true
            thread.afterCommands = { [unowned self] thread, _, failure in
                do throws(Errno) {
                    if let failure { throw failure }
                    try thread.copyOut(bytes, to: pointer)
                } catch {
                    failLate(thread, error)
                    return .handled
                }
                // Not before: mapping the image can still fail.
                sink?.executed(thread, path: image.name, formerID: formerID)
                begin(thread)
                return .handled
            }
            do throws(Errno) {
                try stub.answer(answer)
            } catch {
                abort(thread, waitStatus: 9)
            }
        }
        if isAlone { start(thread) } else { thread.whenReady = start }
        throw .noReturn
    }

    /// The call fails past the point of no return: there is no program to go back to, and Linux kills what is left.
    private func failLate(_ thread: GuestThread, _ error: Errno) {
        // Somebody on the host has killed what the program was to live in, which is as if the program had been killed.
        guard error != .ESRCH else { return abort(thread, waitStatus: SignalNumber.kill.rawValue) }
        sink?.ended(thread, result: -Int(error.rawValue))
        sink?.delivered(SignalInfo(kernel: .segmentationViolation), to: thread)
        abort(thread, waitStatus: SignalNumber.segmentationViolation.rawValue)
    }

    /// The new image stands: run it.
    private func begin(_ thread: GuestThread) {
        thread.call.isActive = false
        thread.bindMemory()
        thread.stub?.gsBase = 0
        thread.makeCardsAtOnce()
        thread.leaveMappingsAtOnce()
        if let map = thread.map { publishAnswers(of: map) }
        thread.registersChanged = true
        thread.append(.loadState(address: 0))
        returnToGuest(thread, result: nil)
    }

    /// The same where its stub can do all of that at once, the initial stack included, and nobody wants to hear that it has.
    private func begin(
        _ thread: GuestThread, through stub: StubThread, _ commands: [StubCommand], _ stack: [UInt8]
    ) {
        thread.call.isActive = false
        thread.bindMemory()
        stub.gsBase = 0
        thread.makeCardsAtOnce()
        thread.leaveMappingsAtOnce()
        if let map = thread.map { publishAnswers(of: map) }
        stub.carry(stack)
        var answer = StubAnswer()
        answer.commands = commands + [.loadState(address: 0)]
        answer.registers = thread.registers
        thread.registersChanged = false
        thread.afterCommands = { [unowned self] thread, _, failure in
            failLate(thread, failure ?? .EFAULT)
            return .handled
        }
        thread.leaveMask(with: stub, isTraced: false)
        thread.state = .running
        do throws(Errno) {
            try stub.answer(answer)
        } catch {
            abort(thread, waitStatus: 9)
        }
    }

    private func facts(_ image: Executable, _ placement: ImagePlacement, vdso: UInt?) -> InitialStack.Facts {
        var facts = InitialStack.Facts()
        facts.vdso = vdso
        facts.programHeaders = image.plan.programHeaders
        facts.programHeaderCount = image.plan.programHeaderCount
        facts.interpreterBase = image.interpreter.map { $0.plan.bias } ?? 0
        facts.entry = image.plan.entry
        facts.userID = image.credentials.userID
        facts.effectiveUserID = image.credentials.effectiveUserID
        facts.groupID = image.credentials.groupID
        facts.effectiveGroupID = image.credentials.effectiveGroupID
        facts.isSecure = image.isSecure
        facts.hardwareCapabilities = hardwareCapabilities.first
        facts.hardwareCapabilities2 = hardwareCapabilities.second
        facts.minimumSignalStack = hardwareCapabilities.minimumSignalStack
        facts.random = placement.random
        facts.shuffle = placement.shuffle
        return facts
    }

    /// `execve` leaves one thread, with the process's number.
    private func endOtherThreads(of thread: GuestThread) {
        let process = thread.process
        for other in process.threads where other !== thread {
            switch other.state {
            case .running:
                // Its host thread computes in the old address space, which goes with the last user.
                other.stub?.interrupt()
                end(other, hostThreadEnds: false)
            default: end(other)
            }
        }
        if thread.id != process.id {
            threads[thread.id] = nil
            thread.takeNumber(process.id)
            threads[thread.id] = thread
        }
    }

    /// What changes for the process with its program.
    private func become(_ thread: GuestThread, _ image: Executable, _ stack: InitialStack) {
        let process = thread.process
        thread.credentials = image.credentials
        thread.stub?.withdrawHandlers()
        process.actions = process.actions.copy()
        process.actions.resetForExec()
        process.timers.deleteCreated()
        process.pendingSignals.removeExpirations()
        thread.signals.pending.removeExpirations()
        thread.signals.alternateStack = AlternateStack()
        if thread.files.isShared {
            let own = thread.files.copy()
            thread.files.removeUser()
            thread.files = own
        }
        thread.files.closeForExec()
        process.executable = image.dentry
        process.argumentRange = stack.argumentRange
        process.environmentRange = stack.environmentRange
        process.exitSignal = SignalNumber(17)
        process.dumpable = !image.isSecure
        if image.isSecure { process.parentDeathSignal = 0 }
        thread.clearThreadID = 0
        thread.robustList = 0
        let file = image.name.split(separator: 0x2f).last.map(Array.init) ?? []
        thread.name = Array((image.isNamedByFile ? image.dentry.name.bytes : file).prefix(15))
    }
}

extension MemoryMap {
    /// The commands that map one image.
    func load(_ plan: LoadPlan, _ file: OpenFile) throws(Errno) -> [StubCommand] {
        guard case .host(let descriptor, _) = try file.operations.mapping(file) else { throw .ENOEXEC }
        let object = MappedObject(file: file, descriptor: descriptor, ownsDescriptor: false, canWriteShared: false)
        var commands: [StubCommand] = [.receiveFile(descriptor: descriptor)]
        for step in plan.steps {
            switch step {
            case .file(let address, let length, let offset, let protection):
                insert(
                    VMA(
                        start: address, end: address + length, protection: Protection(rawValue: protection),
                        isShared: false, object: object, offset: UInt(offset)))
                commands.append(
                    .mapFile(
                        address: address, length: length, protection: protection, flags: 0x12, offset: UInt(offset)))
            case .anonymous(let address, let length, let protection):
                insert(
                    VMA(
                        start: address, end: address + length, protection: Protection(rawValue: protection),
                        isShared: false, object: nil, offset: 0))
                commands.append(
                    .mapAnonymous(address: address, length: length, protection: protection, flags: 0x4032))
            case .zero(let address, let length):
                commands.append(.zero(address: address, length: length))
            }
        }
        commands.append(.closeFile)
        return commands
    }

    func makeStack(_ range: Range<UInt>, executable: Bool) throws(Errno) -> [StubCommand] {
        var area = VMA(
            start: range.lowerBound, end: range.upperBound,
            protection: executable ? [.read, .write, .execute] : [.read, .write],
            isShared: false, object: nil, offset: 0)
        area.label = "[stack]"
        insert(area)
        stack = range
        return [
            .mapAnonymous(
                address: area.start, length: area.length, protection: area.protection.rawValue, flags: 0x2_4032)
        ]
    }

    /// Puts an area over whatever an earlier segment left there.
    private func insert(_ area: VMA) { replace(area.start..<area.end, with: area) }
}
