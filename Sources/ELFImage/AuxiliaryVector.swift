internal import LinuxABI

extension InitialStack {
    /// What the auxiliary vector says of a program. See `getauxval(3)`.
    package struct Facts: Sendable {
        /// `AT_PHDR`.
        package var programHeaders: UInt = 0
        package var programHeaderCount = 0
        /// `AT_BASE`: an interpreter's bias; 0 without one.
        package var interpreterBase: UInt = 0
        package var entry: UInt = 0
        package var userID: UInt32 = 0
        package var effectiveUserID: UInt32 = 0
        package var groupID: UInt32 = 0
        package var effectiveGroupID: UInt32 = 0
        package var isSecure = false
        package var hardwareCapabilities: UInt = 0
        package var hardwareCapabilities2: UInt = 0
        package var minimumSignalStack: UInt = 2048
        /// `AT_SYSINFO_EHDR`: where a vDSO image is mapped; absent without one.
        package var vdso: UInt?
        /// `AT_RSEQ_FEATURE_SIZE` and `AT_RSEQ_ALIGN`: what rseq(2) offers; absent where there is none.
        package var restartableSequences: (featureSize: UInt, alignment: UInt)?
        /// `AT_RANDOM`'s 16 bytes.
        package var random: [UInt8] = []
        /// Bytes that the stack below the strings is moved down by, in 0..<8192; it is rounded to 16.
        package var shuffle: UInt = 0

        package init() {}

        /// The vector's bytes in Linux's order, with `AT_NULL`.
        func vector(random: UInt, platform: UInt, executable: UInt) -> [UInt8] {
            var entries: [(Key, UInt)] = []
            if let vdso { entries.append((.systemInformation, vdso)) }
            entries += [
                (.minimumSignalStack, minimumSignalStack), (.hardwareCapabilities, hardwareCapabilities),
                (.pageSize, 4096), (.clockTicks, 100), (.programHeaders, programHeaders),
                (.programHeaderSize, UInt(ELFHeader.programHeaderSize)),
                (.programHeaderCount, UInt(programHeaderCount)), (.base, interpreterBase), (.flags, 0), (.entry, entry),
                (.userID, UInt(userID)), (.effectiveUserID, UInt(effectiveUserID)), (.groupID, UInt(groupID)),
                (.effectiveGroupID, UInt(effectiveGroupID)), (.isSecure, isSecure ? 1 : 0), (.random, random),
                (.hardwareCapabilities2, hardwareCapabilities2), (.executable, executable), (.platform, platform),
            ]
            if let sequences = restartableSequences {
                entries += [
                    (.restartableSequencesSize, sequences.featureSize),
                    (.restartableSequencesAlignment, sequences.alignment),
                ]
            }
            entries.append((.end, 0))
            var writer = ByteWriter(capacity: entries.count * 16)
            for (key, value) in entries {
                writer.put(key.rawValue)
                writer.put(UInt64(value))
            }
            return writer.bytes
        }
    }

    /// `AT_*`.
    package enum Key: UInt64, Sendable {
        case end = 0
        case programHeaders = 3
        case programHeaderSize = 4
        case programHeaderCount = 5
        case pageSize = 6
        case base = 7
        case flags = 8
        case entry = 9
        case userID = 11
        case effectiveUserID = 12
        case groupID = 13
        case effectiveGroupID = 14
        case platform = 15
        case hardwareCapabilities = 16
        case clockTicks = 17
        case isSecure = 23
        case random = 25
        case hardwareCapabilities2 = 26
        case restartableSequencesSize = 27
        case restartableSequencesAlignment = 28
        case executable = 31
        case systemInformation = 33
        case minimumSignalStack = 51
    }
}
