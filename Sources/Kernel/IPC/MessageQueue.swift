internal import LinuxABI
package import VFS

/// A System V message queue. See `msgop(2)`.
package final class MessageQueue: SystemVObject {
    package struct Message {
        package let type: Int
        package let bytes: [UInt8]

        package init(type: Int, bytes: [UInt8]) {
            self.type = type
            self.bytes = bytes
        }
    }

    /// `kernel.msgmax`
    package static let longest = 8192
    /// `kernel.msgmnb`
    package static let room: UInt64 = 16384

    package var permission: IPCPermission
    package private(set) var messages: [Message] = []
    package private(set) var byteCount: UInt64 = 0
    package var capacity = MessageQueue.room
    package var lastSender: Int32 = 0
    package var lastReceiver: Int32 = 0
    package var sendTime: Int64 = 0
    package var receiveTime: Int64 = 0
    package var changeTime: Int64
    /// Woken when a message has come, or the queue goes.
    package let arrivals = WaitQueue()
    /// Woken when there is more room, or the queue goes.
    package let departures = WaitQueue()

    package init(_ permission: IPCPermission, now: Int64) {
        self.permission = permission
        changeTime = now
    }

    /// What it costs the kernel: each message's bytes, and what goes with them.
    package var weight: UInt64 { byteCount + MessageQueue.overhead * UInt64(messages.count) }
    package static let overhead: UInt64 = 64

    /// - Returns: false where there is no room.
    package func send(_ message: Message) -> Bool {
        guard byteCount + UInt64(message.bytes.count) <= capacity, UInt64(messages.count) < capacity else {
            return false
        }
        messages.append(message)
        byteCount += UInt64(message.bytes.count)
        arrivals.wakeAll()
        return true
    }

    /// Where the message is that a type of `msgrcv(2)` asks for.
    package func index(ofType type: Int, except: Bool) -> Int? {
        if type == 0 { return messages.isEmpty ? nil : 0 }
        if type > 0 { return messages.firstIndex { ($0.type == type) != except } }
        let limit = type == .min ? .max : -type
        var best: Int?
        for (index, message) in messages.enumerated() where message.type <= limit {
            if best.map({ message.type < messages[$0].type }) ?? true { best = index }
        }
        return best
    }

    package func take(at index: Int) -> Message {
        let message = messages.remove(at: index)
        byteCount -= UInt64(message.bytes.count)
        departures.wakeAll()
        return message
    }

    /// It is gone: whoever waits finds out.
    package func wakeAll() {
        arrivals.wakeAll()
        departures.wakeAll()
    }
}
