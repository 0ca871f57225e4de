internal import HostSystem
package import LinuxABI

/// The template, of which stub processes are cloned, and its heir.
///
/// Once the kernel is sealed it cannot make a template any more, and no guest's stub can serve as one: who was there may have
/// kept its registers and its socket. So the template makes its own heir before any guest runs, which sleeps like it, and takes
/// its place when it dies. See `docs/decisions/0031-births-and-memory-calls.md`.
extension TrapPlatform {
    /// A new, empty stub process with one thread. It asks (`ready`) when it stands.
    ///
    /// The template clones itself at once while the kernel waits for it: some 100 µs. Throws EAGAIN.
    package func newProcess() throws(Errno) -> StubThread {
        do throws(Errno) {
            return try cloneTemplate()
        } catch {
            // It may have died just now.
            guard template?.isDead == true else { throw error }
            keepTemplates()
            return try cloneTemplate()
        }
    }

    private func cloneTemplate() throws(Errno) -> StubThread {
        guard let template, let templateThread, !template.isDead else { throw .EAGAIN }
        // A stub that is held could be told to wake the template, and would not go on before this thread does.
        settleHandOver()
        let thread = try template.newProcess(copying: templateThread, floatingPoint: initialFloatingPoint)
        var answer = StubAnswer()
        answer.commands = [.newProcess(slot: 0, child: thread.process)]
        answer.reports = true
        do throws(Errno) {
            try templateThread.answer(answer)
            try awaitTemplate(template, templateThread)
            guard case .commandsDone(let child, nil) = templateThread.event() else { throw .EAGAIN }
            templateThread.block()
            try thread.process.hostMade(child, thread: thread)
            return thread
        } catch {
            templateThread.block()
            // Nobody has its end of the socket: it has died, which the host will say soon.
            if error == .EPIPE || error == .ECONNRESET { template.kill() }
            // Or each try would leave a region and its sockets.
            thread.process.forget(thread)
            throw .EAGAIN
        }
    }

    /// Has a template and an heir again, if one of the two still lives.
    func keepTemplates() {
        if template?.isDead != false, let heir, !heir.process.isDead { inherit(heir) }
        if heir?.process.isDead != false { makeHeir() }
    }

    /// The heir comes by and by, and asks like anybody.
    func makeHeir() {
        heir = try? cloneTemplate()
        // Nobody owns it.
        heir?.isDisowned = true
    }

    /// What the heir has asked, which can only be that it stands.
    func heirHasCome(_ event: StubEvent) {
        guard let heir else { return }
        heir.isDisowned = false
        unwatch(heir)
        guard case .ready = event, (try? heir.process.confirm()) != nil else { return heir.process.kill() }
        heir.block()
    }

    private func inherit(_ thread: StubThread) {
        if thread.isDisowned {
            guard (try? awaitTemplate(thread.process, thread)) != nil else { return }
            heirHasCome(thread.event())
        }
        heir = nil
        (template, templateThread) = (thread.process, thread)
    }
}
