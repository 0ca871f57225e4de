package import LinuxABI
package import VFS

/// What every family of sockets does; `AF_UNIX` is the first. See `socket(2)`, `socket(7)`.
///
/// As with every file, nothing here waits: what cannot proceed throws EAGAIN, after setting `blockedOn` to what will wake
/// when another try makes sense. Addresses are the bytes of a `sockaddr`, its family first.
package protocol Socket: FileOperations {
    /// `AF_*`.
    var domain: Int32 { get }
    var type: SocketType { get }
    var protocolNumber: Int32 { get }
    var options: SocketOptions { get set }
    /// Where to wait after an EAGAIN.
    var blockedOn: WaitQueue { get }
    /// `listen(2)` was called.
    var isListening: Bool { get }

    func bind(_ address: [UInt8], by thread: GuestThread) throws(Errno)
    func connect(_ address: [UInt8], by thread: GuestThread) throws(Errno)
    func listen(_ backlog: Int32, by thread: GuestThread) throws(Errno)
    /// The next connection, ready to be installed.
    func accept() throws(Errno) -> any Socket
    func localAddress() throws(Errno) -> [UInt8]
    func peerAddress() throws(Errno) -> [UInt8]
    /// Sends some of a message of a stream, all of it otherwise.
    /// - Returns: how many bytes went.
    func send(_ message: OutgoingMessage, by thread: GuestThread?) throws(Errno) -> Int
    /// Appends at most `output.freeCapacity` bytes to `output`.
    func receive(into output: inout OutputSpan<UInt8>, _ flags: MessageFlags) throws(Errno) -> ReceivedMessage
    /// Closes the receiving half, the sending half, or both.
    func shutdown(receiving: Bool, sending: Bool) throws(Errno)
    /// Whoever is at the other end; nil where nobody can be named.
    var peerCredentials: SocketCredentials? { get }
    /// The error that waits to be reported, which is then forgotten (`SO_ERROR`); 0 for none.
    func takeError() -> Int32
    /// An option of a level of the family's own. Throws EOPNOTSUPP, ENOPROTOOPT.
    func familyOption(_ level: Int32, _ name: Int32) throws(Errno) -> [UInt8]
    func setFamilyOption(_ level: Int32, _ name: Int32, to value: [UInt8]) throws(Errno)
}

extension Socket {
    package func familyOption(_ level: Int32, _ name: Int32) throws(Errno) -> [UInt8] { throw .EOPNOTSUPP }

    package func setFamilyOption(_ level: Int32, _ name: Int32, to value: [UInt8]) throws(Errno) { throw .EOPNOTSUPP }

    package var isMessageBased: Bool { type != .stream }
}

/// `SOCK_*`.
package enum SocketType: Int32, Sendable {
    case stream = 1
    case datagram = 2
    case sequencedPackets = 5

    package var isConnectionBased: Bool { self != .datagram }
}

/// `MSG_*` of `send(2)` and `recv(2)`.
package struct MessageFlags: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let outOfBand = MessageFlags(rawValue: 0x1)
    package static let peek = MessageFlags(rawValue: 0x2)
    package static let controlTruncated = MessageFlags(rawValue: 0x8)
    package static let truncated = MessageFlags(rawValue: 0x20)
    package static let dontWait = MessageFlags(rawValue: 0x40)
    package static let waitAll = MessageFlags(rawValue: 0x100)
    package static let errorQueue = MessageFlags(rawValue: 0x2000)
    package static let noSignal = MessageFlags(rawValue: 0x4000)
    package static let waitForOne = MessageFlags(rawValue: 0x10000)
    package static let closeOnExec = MessageFlags(rawValue: 0x4000_0000)
}

/// Who a process was when it sent or connected: `struct ucred`.
package struct SocketCredentials: Sendable, Equatable {
    package var processID: ProcessID
    package var userID: UInt32
    package var groupID: UInt32

    package init(processID: ProcessID, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }

    /// Of a message whose sender was not asked: nobody.
    package static let unknown = SocketCredentials(processID: ProcessID(0), userID: 65534, groupID: 65534)
    /// Of a socket without a peer.
    package static let none = SocketCredentials(processID: ProcessID(0), userID: .max, groupID: .max)

    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 12)
        writer.put(processID.rawValue)
        writer.put(userID)
        writer.put(groupID)
        return writer.bytes
    }
}

extension GuestThread {
    /// As peers see it (`SO_PEERCRED`): the effective ids.
    package var peerCredentials: SocketCredentials {
        SocketCredentials(
            processID: process.id, userID: credentials.effectiveUserID, groupID: credentials.effectiveGroupID)
    }

    /// As messages carry it (`SCM_CREDENTIALS`): the real ids.
    package var messageCredentials: SocketCredentials {
        SocketCredentials(processID: process.id, userID: credentials.userID, groupID: credentials.groupID)
    }
}

/// What is sent at once.
package struct OutgoingMessage {
    package var bytes: [UInt8]
    /// Open files that travel along (`SCM_RIGHTS`); the message holds a reference of its own to each once it is queued.
    package var rights: [OpenFile] = []
    /// Given by `SCM_CREDENTIALS`.
    package var credentials: SocketCredentials?
    /// To whom, for sockets without a connection; empty for the peer.
    package var address: [UInt8] = []
    package var flags: MessageFlags = []

    package init(bytes: [UInt8]) { self.bytes = bytes }
}

/// What a receive found besides the bytes.
package struct ReceivedMessage {
    /// Bytes of the whole message, where messages have an end; of what was taken otherwise.
    package var length = 0
    package var isTruncated = false
    /// What follows in the stream does not belong to the same call: it has another sender, or these files came with it.
    package var endsHere = false
    /// Open files; each carries a reference for the receiver.
    package var rights: [OpenFile] = []
    package var credentials: SocketCredentials?
    /// Of the sender; nil if there is none to be named.
    package var source: [UInt8]?

    package init() {}
}

/// What `setsockopt(2)` keeps at the level of sockets.
package struct SocketOptions: Sendable {
    /// Bytes that may be under way from this socket.
    package var sendBuffer = 212_992
    package var receiveBuffer = 212_992
    /// Nil waits for ever.
    package var receiveTimeout: Timestamp?
    package var sendTimeout: Timestamp?
    package var receiveLowWater: Int32 = 1
    package var passesCredentials = false
    package var priority: Int32 = 0
    /// `SO_LINGER`: seconds, or nil when it is off.
    package var linger: Int32?
    package var lingerSeconds: Int32 = 0
    /// Options that are only on or off, by number: `SO_KEEPALIVE`, `SO_REUSEADDR` and the like.
    package var switches: Set<Int32> = []

    package init() {}
}
