internal import Stub

/// What travels with a call and with its answer.
extension StubThread {
    /// The stub's list of what it has copied, each entry inside the bounce area.
    func readPayloads(_ count: Int) {
        guard count > 0, count <= Int(APUS_MAX_PAYLOADS) else { return }
        for index in 0..<count {
            let entry = cold + Cold.inPayloads + index * MemoryLayout<apus_payload>.size
            let address: UInt = memory.load(at: entry)
            let size = Int(memory.load(UInt32.self, at: entry + 8))
            let place = memory.load(UInt32.self, at: entry + 12)
            guard let offset = StubThread.offset(of: place, size),
                !address.addingReportingOverflow(UInt(size)).overflow
            else { return guestMemory.begin() }
            guestMemory.add(ThreadMemory.Payload(address: address, count: size, offset: offset))
        }
    }

    /// A string of `count` bytes that stands in the place of arguments that the call does not have.
    func takeString(_ count: Int, of number: UInt64, from arguments: inout InlineArray<6, UInt>) {
        guard number < UInt64(APUS_RULED_CALLS) else { return }
        let place = process.platform.stringPlaces[Int(number)]
        guard place.spare > 0, count <= 8 * (6 - place.spare) else { return }
        let address = arguments[place.pointer]
        guard !address.addingReportingOverflow(UInt(count)).overflow else { return }
        guestMemory.add(
            ThreadMemory.Payload(
                address: address, count: count,
                offset: hot + Hot.arguments + 8 * place.spare - cold - Int(APUS_BOUNCE)))
        for index in place.spare..<6 { arguments[index] = 0 }
    }

    /// Where a payload of the stub's list stands, from the beginning of the bounce area; nil for what is not inside.
    private static func offset(of place: UInt32, _ size: Int) -> Int? {
        if place == APUS_BESIDE { return size <= Int(APUS_IN_BESIDE_SIZE) ? Cold.inBytes - Int(APUS_BOUNCE) : nil }
        guard Int(place) <= Int(APUS_BOUNCE_SIZE), size <= Int(APUS_BOUNCE_SIZE) - Int(place) else { return nil }
        return Int(place)
    }

    /// Lists what the stub has to copy to guest memory.
    /// - Returns: the action that says so.
    func postOutgoing(mayBeInLine: Bool = true) -> Int {
        // A single small one stands in the line that both sides look at anyway: any other costs its way there and back.
        if mayBeInLine {
            let place = hot + Hot.arguments + 8 * Int(APUS_HERE_ARGUMENT)
            if let small = guestMemory.handOverSmall(to: place) {
                memory.store(small.address, at: hot + Hot.arguments + 8)
                return APUS_ACTION_COPY_HERE | small.count << Int(APUS_HERE_SHIFT)
            }
        }
        let count = guestMemory.handOver { index, payload in
            let entry = cold + Cold.outPayloads + index * MemoryLayout<apus_payload>.size
            memory.store(payload.address, at: entry)
            memory.store(UInt32(payload.count), at: entry + 8)
            memory.store(payload.offset < 0 ? APUS_BESIDE : UInt32(payload.offset), at: entry + 12)
        }
        guard count > 0 else { return 0 }
        memory.store(UInt32(count), at: cold + Cold.outCount)
        return APUS_ACTION_COPY_OUT
    }
}
