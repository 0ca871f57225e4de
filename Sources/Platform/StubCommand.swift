internal import Stub

/// What the kernel tells a stub to do in its own address space, before the guest goes on.
package enum StubCommand {
    case mapAnonymous(address: UInt, length: UInt, protection: Int32, flags: Int32)
    /// Takes the host descriptor and keeps it for the following `mapFile`s, until `closeFile`.
    case receiveFile(descriptor: Int32)
    case mapFile(address: UInt, length: UInt, protection: Int32, flags: Int32, offset: UInt)
    case closeFile
    case unmap(address: UInt, length: UInt)
    case protect(address: UInt, length: UInt, protection: Int32)
    case advise(address: UInt, length: UInt, advice: Int32)
    case remap(address: UInt, oldLength: UInt, newLength: UInt, flags: UInt, target: UInt)
    case synchronize(address: UInt, length: UInt, flags: Int32)
    case zero(address: UInt, length: UInt)
    case unmapAll
    /// A host thread at the slot, which `StubProcess.newThread` has prepared. The result is its host number.
    case newThread(slot: Int)
    /// A host process, which `StubProcess.newProcess` has prepared. The result is its host number.
    case newProcess(slot: Int, child: StubProcess)
    case exitThread
    /// Closes every descriptor but the socket.
    case dropDescriptors
    /// The result is the word before.
    case updateWord(address: UInt, update: WordUpdate)
    /// Wakes one who waits for the word by the host.
    case wakeWord(address: UInt)
    /// Puts the thread's floating-point state where a signal frame wants it, with `frameStateSize` bytes, and goes on with a
    /// fresh one. The address is a multiple of 64.
    case pushState(address: UInt)
    /// Loads what a signal frame has there; the initial state for 0. Fails with EFAULT for what the processor would refuse.
    case loadState(address: UInt)
    /// Instead of `closeFile`: until the thread asks for anything, its stub may map parts of the file by itself. See `StubProcess.setKept`.
    case keepFile
    /// Copies bytes that `StubThread.carry` has left.
    case copy(address: UInt, count: Int)
    /// Lets the thread at the slot go on, which is held, with a copy of this one's floating-point state.
    case startThread(slot: Int)

    /// True if it may be carried out at any moment before the call returns, whatever other threads do meanwhile: it needs no
    /// descriptor of those that wait in the socket, and does not depend on what others change.
    package var standsAlone: Bool {
        switch self {
        case .mapAnonymous, .unmap, .protect, .advise, .pushState, .loadState, .startThread: true
        default: false
        }
    }

    /// True if it moves floating-point state, and changes no memory but a signal frame's.
    package var movesState: Bool {
        switch self {
        case .pushState, .loadState: true
        default: false
        }
    }

    /// The number and arguments as the stub reads them.
    var words: (number: UInt64, arguments: InlineArray<6, UInt64>) {
        switch self {
        case .mapAnonymous(let address, let length, let protection, let flags):
            (9, [UInt64(address), UInt64(length), UInt64(protection), UInt64(flags), ~0, 0])
        case .receiveFile:
            (UInt64(APUS_COMMAND_RECEIVE), [0, 0, 0, 0, 0, 0])
        case .mapFile(let address, let length, let protection, let flags, let offset):
            (
                UInt64(APUS_COMMAND_MAP),
                [UInt64(address), UInt64(length), UInt64(protection), UInt64(flags), 0, UInt64(offset)]
            )
        case .closeFile:
            (UInt64(APUS_COMMAND_CLOSE), [0, 0, 0, 0, 0, 0])
        case .unmap(let address, let length):
            (11, [UInt64(address), UInt64(length), 0, 0, 0, 0])
        case .protect(let address, let length, let protection):
            (10, [UInt64(address), UInt64(length), UInt64(protection), 0, 0, 0])
        case .advise(let address, let length, let advice):
            (28, [UInt64(address), UInt64(length), UInt64(advice), 0, 0, 0])
        case .remap(let address, let oldLength, let newLength, let flags, let target):
            (25, [UInt64(address), UInt64(oldLength), UInt64(newLength), UInt64(flags), UInt64(target), 0])
        case .synchronize(let address, let length, let flags):
            (26, [UInt64(address), UInt64(length), UInt64(flags), 0, 0, 0])
        case .zero(let address, let length):
            (UInt64(APUS_COMMAND_ZERO), [UInt64(address), UInt64(length), 0, 0, 0, 0])
        case .unmapAll:
            (UInt64(APUS_COMMAND_UNMAP_ALL), [0, 0, 0, 0, 0, 0])
        case .newThread(let slot):
            (UInt64(APUS_COMMAND_NEW_THREAD), [UInt64(slot), 0, 0, 0, 0, 0])
        case .newProcess(let slot, _):
            (UInt64(APUS_COMMAND_NEW_PROCESS), [UInt64(slot), 0, 0, 0, 0, 0])
        case .exitThread:
            (UInt64(APUS_COMMAND_EXIT_THREAD), [0, 0, 0, 0, 0, 0])
        case .pushState(let address):
            (UInt64(APUS_COMMAND_PUSH_STATE), [UInt64(address), 0, 0, 0, 0, 0])
        case .loadState(let address):
            (UInt64(APUS_COMMAND_LOAD_STATE), [UInt64(address), 0, 0, 0, 0, 0])
        case .startThread(let slot):
            (UInt64(APUS_COMMAND_START_THREAD), [UInt64(slot), 0, 0, 0, 0, 0])
        case .keepFile:
            (UInt64(APUS_COMMAND_KEEP), [0, 0, 0, 0, 0, 0])
        case .copy(let address, let count):
            (UInt64(APUS_COMMAND_COPY), [UInt64(address), UInt64(count), 0, 0, 0, 0])
        case .dropDescriptors:
            (436, [UInt64(APUS_SOCKET) + 1, 0xffff_ffff, 0, 0, 0, 0])
        case .wakeWord(let address):
            // FUTEX_WAKE
            (202, [UInt64(address), 1, 1, 0, 0, 0])
        case .updateWord(let address, let update):
            (
                UInt64(APUS_COMMAND_UPDATE_WORD),
                [
                    UInt64(address), UInt64(update.mask), UInt64(update.value), UInt64(update.keep),
                    UInt64(update.flip), UInt64(update.addend),
                ]
            )
        }
    }
}

/// One atomic change of a 32-bit word: where `word & mask` is `value`, the word becomes `((word & keep) ^ flip) + addend`.
///
/// Guest threads change their words at any time with instructions of their own, and the host has no call that exchanges a
/// word of another process: so a stub does it, inside the address space.
package struct WordUpdate: Sendable, Equatable {
    package var mask: UInt32
    package var value: UInt32
    package var keep: UInt32
    package var flip: UInt32
    package var addend: UInt32

    package init(mask: UInt32 = 0, value: UInt32 = 0, keep: UInt32 = 0, flip: UInt32 = 0, addend: UInt32 = 0) {
        self.mask = mask
        self.value = value
        self.keep = keep
        self.flip = flip
        self.addend = addend
    }

    /// True if the word was one that the update changes.
    package func applies(to word: UInt32) -> Bool { word & mask == value }

    /// What the word becomes.
    package func applied(to word: UInt32) -> UInt32 {
        applies(to: word) ? ((word & keep) ^ flip) &+ addend : word
    }
}
