/// Who has a descriptor of the host open that nobody uses now, and can open it again.
package protocol DescriptorKeeper: AnyObject {
    func closeKept()
}

/// Descriptors of host files that stay open for a while after their use, as opening one anew costs more than all the rest of
/// an `open(2)`. There are a few at most, and none that was not used for some seconds: what a host deletes or unmounts must
/// not be held for ever.
package final class KeptDescriptors {
    private struct Slot {
        var keeper: (any DescriptorKeeper)?
        var wasUsed = false
    }

    private var slots: [Slot]
    private var hand = 0
    /// How many are kept.
    package private(set) var count = 0
    /// Called when the first one is kept: `sweep` is wanted after a while.
    package var whenFirst: (() -> Void)?

    package init(capacity: Int = 64) { slots = [Slot](repeating: Slot(), count: max(1, capacity)) }

    /// Keeps one, in place of one that was not used lately.
    /// - Returns: its number, for `use` and `drop`.
    package func keep(_ keeper: any DescriptorKeeper) -> Int {
        while slots[hand].keeper != nil, slots[hand].wasUsed {
            slots[hand].wasUsed = false
            hand = (hand + 1) % slots.count
        }
        let index = hand
        hand = (hand + 1) % slots.count
        let former = slots[index].keeper
        slots[index] = Slot(keeper: keeper, wasUsed: true)
        if let former {
            former.closeKept()
        } else {
            count += 1
            if count == 1 { whenFirst?() }
        }
        return index
    }

    /// The descriptor is used.
    @inline(__always)
    package func use(_ index: Int) { slots[index].wasUsed = true }

    /// The descriptor is the keeper's own business again.
    package func drop(_ index: Int) {
        guard slots[index].keeper != nil else { return }
        slots[index] = Slot()
        count -= 1
    }

    /// Closes what was not used since the last sweep.
    package func sweep() {
        for index in slots.indices {
            guard let keeper = slots[index].keeper else { continue }
            if slots[index].wasUsed {
                slots[index].wasUsed = false
            } else {
                drop(index)
                keeper.closeKept()
            }
        }
    }
}
