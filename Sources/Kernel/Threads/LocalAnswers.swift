internal import LinuxABI
internal import Platform

/// Calls whose result every thread of a process gets, until something about the process changes: their stubs answer them
/// without asking, while nobody wants to hear of every call.
package enum LocalAnswer: Int, CaseIterable, Sendable {
    // The number is the place among a process's answers; `APUS_LOCAL_YIELD` is the first.
    case yield = 1
    case processID, threadID, parentID, processGroup, userID, groupID, effectiveUserID, effectiveGroupID
    /// Not an answer: the permission to wait on private futexes without the kernel, `APUS_LOCAL_FUTEX`.
    case futex
    /// Nor these: see `LocalMask` and `GuestThread.robustList`.
    case signalMask, robustList
    /// There is none, as every thread is told that begins.
    case restartableSequences
    /// Nor these: of descriptors that the stub was told of (`LocalFiles`).
    case read, write, positionedRead
    /// Nor these: where the stub was told of the address space (`LocalMappings`). The first is the permission for both.
    /// `APUS_LOCAL_MAP` and on.
    case map, unmap
    /// Nor these: of names that the stub was told of (`LocalNames`). `APUS_LOCAL_STAT`, and `APUS_LOCAL_LSTAT` below.
    case statusOfName
    /// Nor these: of the epoll that the stub was told of (`LocalReadiness`). `APUS_LOCAL_EPOLL_WAIT` and on.
    case epollWait = 20
    case epollWaitMasked, epollWaitExactly
    case statusOfLink
    /// Signals that a thread sends to itself, and the way back from handlers: see `OwnHandlers`. `APUS_LOCAL_SIGRETURN` and on.
    case signalReturn = 24
    case kill, threadKill
    /// Nor these: of descriptors that have cards (`DescriptorCards`). The first's value says how many there can be.
    case close, control, fileStatus, statusAt, directoryEntries
    /// Nor this: of files that the stub writes (`LocalWrites`). `APUS_LOCAL_PWRITE`, and no place among the answers.
    case positionedWrite
    /// Nor these: what a program asks as it begins. `APUS_LOCAL_BREAK` and on, and no place, either.
    case endOfHeap, threadPointer, threadIDAddress, resourceLimit, processLimit
    /// Nor this: of memory that the stub was told of (`LocalMappings`). `APUS_LOCAL_PROTECT`.
    case protect

    /// The call's number on x86-64.
    package var call: Int {
        switch self {
        case .yield: 24
        case .processID: 39
        case .threadID: 186
        case .parentID: 110
        case .processGroup: 111
        case .userID: 102
        case .groupID: 104
        case .effectiveUserID: 107
        case .effectiveGroupID: 108
        case .futex: 202
        case .signalMask: 14
        case .robustList: 273
        case .restartableSequences: 334
        case .signalReturn: 15
        case .kill: 62
        case .threadKill: 234
        case .read: 0
        case .write: 1
        case .positionedRead: 17
        case .positionedWrite: 18
        case .map: 9
        case .unmap: 11
        case .statusOfName: 4
        case .statusOfLink: 6
        case .epollWait: 232
        case .epollWaitMasked: 281
        case .epollWaitExactly: 441
        case .close: 3
        case .control: 72
        case .fileStatus: 5
        case .statusAt: 262
        case .directoryEntries: 217
        case .endOfHeap: 12
        case .threadPointer: 158
        case .threadIDAddress: 218
        case .resourceLimit: 97
        case .processLimit: 302
        case .protect: 10
        }
    }

    /// Nil for calls that the kernel must hear of; also for what is not a value.
    init?(call: Int) {
        guard let answer = LocalAnswer.allCases.first(where: { $0.call == call }) else { return nil }
        switch answer {
        case .yield, .futex, .signalMask, .robustList, .signalReturn, .kill, .threadKill, .read, .write,
            .positionedRead, .statusOfName, .statusOfLink, .epollWait, .epollWaitMasked, .epollWaitExactly, .close,
            .control, .fileStatus, .statusAt, .directoryEntries, .map, .unmap, .positionedWrite, .endOfHeap,
            .threadPointer, .threadIDAddress, .resourceLimit, .processLimit, .protect:
            return nil
        default: self = answer
        }
    }
}

extension Kernel {
    /// Tells the stubs of an address space what they may answer. To be called whenever an answer may have changed.
    func publishAnswers(of map: MemoryMap) {
        if oldAnswers === map { oldAnswers = nil }
        let members = threads.values.filter { $0.map === map && $0.state != .dead }
        guard let first = members.first, sink == nil, !map.stub.isDead else {
            map.mayReadLocally = false
            map.mayTellNames = false
            map.cards?.isRevoked = true
            map.localMappings?.isRevoked = true
            map.localWrites?.withdraw()
            letEndQuietly(map, [])
            map.stub.setLocalAnswers(LocalAnswers(repeating: nil))
            return
        }
        let process = first.process
        let isOneProcess = members.allSatisfy { $0.process === process }
        map.mayReadLocally = mayReadLocally(members)
        map.mayTellNames = map.mayReadLocally && members.count == 1
        let readsLocally = map.mayReadLocally && map.localFiles?.table === first.files
        let cards = map.mayReadLocally && members.count == 1 && map.cards?.table === first.files ? map.cards : nil
        if cards == nil { map.cards?.isRevoked = true }
        if members.count > 1 { map.localMappings?.isRevoked = true }
        letEndQuietly(map, members)
        if let writes = map.localWrites, !map.mayTellNames || writes.table !== first.files { writes.withdraw() }
        let closes = cards?.isRevoked == false ? cards?.limit : nil
        let owner = first.credentials
        let isOneOwner = members.allSatisfy {
            $0.credentials.userID == owner.userID && $0.credentials.effectiveUserID == owner.effectiveUserID
                && $0.credentials.groupID == owner.groupID && $0.credentials.effectiveGroupID == owner.effectiveGroupID
        }
        func word(_ id: ProcessID) -> UInt64 { UInt64(UInt32(bitPattern: id.rawValue)) }
        func value(of answer: LocalAnswer) -> UInt64? {
            switch answer {
            case .yield: 0
            case .futex: map.mayWaitInStub ? 1 : nil
            // Each thread has a permission of its own.
            case .signalMask, .signalReturn, .kill, .threadKill: nil
            // It stands with what was told whether that holds.
            case .epollWait, .epollWaitMasked, .epollWaitExactly, .statusOfName, .statusOfLink: nil
            case .robustList: 0
            case .read, .write, .positionedRead: readsLocally ? 1 : nil
            case .close: closes.map { UInt64($0) }
            case .map: map.localMappings?.isRevoked == false ? 1 : nil
            case .unmap, .positionedWrite: nil
            // What they say stands elsewhere: `Stub/begin.c`.
            case .endOfHeap, .threadPointer, .threadIDAddress, .resourceLimit, .processLimit, .protect: nil
            // It is that permission that counts.
            case .control, .fileStatus, .statusAt, .directoryEntries: nil
            case .restartableSequences: UInt64(bitPattern: -Int64(Errno.ENOSYS.rawValue))
            case .processID: isOneProcess ? word(process.id) : nil
            case .threadID: members.count == 1 ? word(first.id) : nil
            case .parentID: isOneProcess ? word(process.visibleParent) : nil
            case .processGroup: isOneProcess ? word(process.group) : nil
            case .userID: isOneOwner ? UInt64(owner.userID) : nil
            case .groupID: isOneOwner ? UInt64(owner.groupID) : nil
            case .effectiveUserID: isOneOwner ? UInt64(owner.effectiveUserID) : nil
            case .effectiveGroupID: isOneOwner ? UInt64(owner.effectiveGroupID) : nil
            }
        }
        // All at once, and made in place, as this happens at each birth and end of a thread.
        let values = LocalAnswers { index in LocalAnswer(rawValue: index).flatMap(value(of:)) }
        map.stub.setHeapEnd(map.heap.upperBound)
        if isOneProcess { tellLimits(of: process, map) }
        map.stub.setLocalAnswers(values)
    }

    /// The stub says what limits the process has that lives there, where it is one.
    func tellLimits(of process: Process, _ map: MemoryMap) {
        map.stub.setLimits(process.limitsVersion) {
            process.limits.values.map { (soft: $0.soft, hard: $0.hard) }
        }
    }

    /// Something that all threads of a process answer has changed.
    package func publishAnswers(of process: Process) {
        if let map = process.threads.first?.map { publishAnswers(of: map) }
    }
}
