internal import LinuxABI
internal import Platform

/// Which call sites are patched, and when: `docs/decisions/0013-site-patching.md`.
extension GuestThread {
    /// The call that is being handled comes from a site that has trapped often: makes a jump of it where that is safe.
    ///
    /// Only the text of a file, privately mapped and not writable: what a program writes itself, it may write again. And
    /// only while no other thread of the address space runs guest code; the stub comes back to it otherwise.
    func patchSite(_ number: Int) {
        // Unwinders know a restorer by its bytes.
        guard let map, number != LocalAnswer.signalReturn.call else { return }
        if map.users > 1 {
            // Those who wait in their stubs stand, too, as long as they have to ask before they go on.
            map.stub.setLocalAnswer(LocalAnswer.futex.rawValue, nil)
        }
        defer { if map.users > 1 { kernel.publishAnswers(of: map) } }
        guard map.users == 1 || othersStand(in: map) else { return }
        map.patches.patch(
            resumingAt: registers.rip, number: number, answer: LocalAnswer(call: number)?.rawValue, in: map.stub
        ) { [areas = map.areas] address in
            guard let area = areas.area(at: address) else { return false }
            return area.object?.file != nil && !area.isShared && area.protection.contains(.execute)
                && !area.protection.contains(.write)
        }
    }

    private func othersStand(in map: MemoryMap) -> Bool {
        kernel.threads.values.allSatisfy { thread in
            guard thread !== self, thread.map === map, let stub = thread.stub else { return true }
            return !stub.isRunning || stub.waitsByItself
        }
    }
}

extension MemoryMap {
    /// The commands that make room for trampolines near a program: above where mappings go, for libraries; below the image
    /// for a program without an interpreter, which makes its calls itself. No guest is told of these pages; what it maps
    /// there replaces them.
    func makeTrampolineZone(below image: UInt?) -> [StubCommand] {
        let start: UInt
        if let image {
            guard image >= MemoryMap.lowest + 2 * SitePatches.zoneSize else { return [] }
            start = (image - 2 * SitePatches.zoneSize) & ~(GuestLayout.pageSize - 1)
        } else {
            start = mappingTop
        }
        patches.addZone(at: start)
        return [.mapAnonymous(address: start, length: SitePatches.zoneSize, protection: 5, flags: 0x4032)]
    }
}
