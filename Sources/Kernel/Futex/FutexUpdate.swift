internal import LinuxABI
package import Platform
internal import VFS

/// An atomic change of a futex's word that the calling thread's stub carries out, between two tries of its call.
package struct FutexUpdate {
    package let update: WordUpdate
    /// The futex whose line must stay as it is until the word has changed.
    fileprivate let key: FutexKey?
    /// What stood there, or why there was nothing; nil while the stub is at it.
    fileprivate var outcome: Result<UInt32, Errno>?
}

/// How the kernel changes words that guest threads change too.
///
/// The word is the guest's own memory: a stub that lies about it harms only those who share it. Nobody else can say what
/// stands there: the kernel believes it as it would believe the word.
extension GuestThread {
    /// The update that this try of the call goes on from, with the word that it found; nil at the first try.
    /// Throws EFAULT if there was no such word.
    func finishedUpdate() throws(Errno) -> (update: WordUpdate, old: UInt32)? {
        guard let finished = restart.update, let outcome = finished.outcome else { return nil }
        restart.update = nil
        return (finished.update, try outcome.get())
    }

    /// Has the stub change the word, after which the call's handler runs again and finds it with `finishedUpdate`.
    /// With a key nobody enters, leaves or changes that futex's line meanwhile: see `awaitUpdate`.
    ///
    /// Throws `noReturn`; returns where the kernel has changed the word itself: for a thread that has to end, and in tests.
    func beginUpdate(_ update: WordUpdate, at address: UInt, keeping key: FutexKey? = nil) throws(Errno) {
        guard address < GuestLayout.taskSize else { throw .EFAULT }
        restart.update = FutexUpdate(update: update, key: key)
        // A guest that stores all the time could keep a thread that has to end at this for ever; and it must not end before
        // a lock that it has given to a thread that is dead by now has gone on to somebody else.
        guard let stub, !process.isExiting else {
            let old = try futexWord(address)
            try copyOut(integer: update.applied(to: old), to: address)
            restart.update?.outcome = .success(old)
            return
        }
        if let key { kernel.futexes.beginUpdate(of: key) }
        afterCommands = { thread, last, failure in
            thread.endUpdate(failure.map { .failure($0) } ?? .success(UInt32(truncatingIfNeeded: last)))
            return .again
        }
        var answer = StubAnswer()
        answer.commands = [.updateWord(address: address, update: update)]
        answer.reports = true
        do throws(Errno) {
            try stub.answer(answer)
        } catch {
            endUpdate(.failure(error))
            afterCommands = nil
            throw error
        }
        throw .noReturn
    }

    /// The update is over, or the thread ends in its midst.
    func endUpdate(_ outcome: Result<UInt32, Errno>) {
        guard let update = restart.update, update.outcome == nil else { return }
        restart.update?.outcome = outcome
        if let key = update.key { kernel.futexes.endUpdate(of: key) }
    }

    /// Waits until no other thread's update of the futex's word is under way: `try awaitUpdate(of: key)`. The call begins
    /// anew then.
    func awaitUpdate(of key: FutexKey) throws(Errno) {
        guard let ended = kernel.futexes.update(of: key) else { return }
        throw park(on: [ended], interrupted: .ERESTARTNOINTR)
    }
}
