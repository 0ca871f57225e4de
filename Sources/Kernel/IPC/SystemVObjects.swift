package import LinuxABI

/// `struct ipc_perm`: who owns a System V object, and what others may do. See `sysvipc(7)`.
package struct IPCPermission: Sendable {
    package internal(set) var key: Int32
    package var userID: UInt32
    package var groupID: UInt32
    package let creatorUserID: UInt32
    package let creatorGroupID: UInt32
    /// Nine bits.
    package var mode: UInt32

    package init(key: Int32, mode: UInt32, creator: Credentials) {
        self.key = key
        self.mode = mode & 0o777
        userID = creator.effectiveUserID
        groupID = creator.effectiveGroupID
        creatorUserID = creator.effectiveUserID
        creatorGroupID = creator.effectiveGroupID
    }

    /// `wanted`: bits of a mode, of which any third counts. Throws EACCES.
    package func check(_ wanted: UInt32, for credentials: Credentials) throws(Errno) {
        let requested = (wanted >> 6 | wanted >> 3 | wanted) & 7
        var granted = mode
        if credentials.effectiveUserID == userID || credentials.effectiveUserID == creatorUserID {
            granted >>= 6
        } else if credentials.isInGroup(groupID) || credentials.isInGroup(creatorGroupID) {
            granted >>= 3
        }
        guard requested & ~granted & 7 == 0 || credentials.has(capability: CapabilityNumber.ownIPC) else {
            throw .EACCES
        }
    }

    /// Who may change or remove the object. Throws EPERM.
    package func checkOwner(_ credentials: Credentials) throws(Errno) {
        let user = credentials.effectiveUserID
        guard
            user == userID || user == creatorUserID
                || credentials.has(capability: CapabilityNumber.systemAdministration)
        else { throw .EPERM }
    }
}

/// A message queue or a set of semaphores.
package protocol SystemVObject: AnyObject {
    var permission: IPCPermission { get set }
}

/// All objects of one kind, by number. A number is a place and how often the place has been given away before, so that an
/// old number does not name a new object.
package final class SystemVObjects<Object: SystemVObject> {
    private struct Place {
        var object: Object?
        var sequence: Int32 = 0
    }

    /// `IPC_PRIVATE`
    private static var privateKey: Int32 { 0 }
    /// `kernel.msgmni` and the first number of `kernel.sem`.
    package static var most: Int { 32000 }
    private static var stride: Int32 { 32768 }
    private var places: [Place] = []
    private var keys: [Int32: Int32] = [:]
    private var free: [Int] = []

    package init() {}

    /// The highest place in use; -1 for none.
    package var highest: Int { places.lastIndex { $0.object != nil } ?? -1 }
    package var objects: [Object] { places.compactMap(\.object) }

    package var count: Int { places.count - free.count }
    /// What all objects together hold of what is bounded: semaphores, or bytes of messages. Kept by who changes that.
    package var weight: UInt64 = 0

    package func find(_ id: Int32) -> Object? {
        let index = Int(id % Self.stride)
        guard id >= 0, index < places.count, places[index].sequence == id / Self.stride else { return nil }
        return places[index].object
    }

    package func object(at index: Int32) -> (id: Int32, object: Object)? {
        guard index >= 0, index < places.count, let object = places[Int(index)].object else { return nil }
        return (places[Int(index)].sequence * Self.stride + index, object)
    }

    /// `msgget(2)`, `semget(2)`: what stands under the key, or a new object. Throws EEXIST, ENOENT, ENOSPC, EACCES, and what
    /// `check` and `make` throw.
    package func get(
        key: Int32, flags: Int32, for credentials: Credentials, check: (Object) throws(Errno) -> Void,
        make: () throws(Errno) -> Object
    ) throws(Errno) -> Int32 {
        if key != Self.privateKey {
            if let id = keys[key], let object = find(id) {
                guard flags & 0o3000 != 0o3000 else { throw .EEXIST }
                try check(object)
                try object.permission.check(UInt32(flags & 0o777), for: credentials)
                return id
            }
            guard flags & 0o1000 != 0 else { throw .ENOENT }
        }
        guard count < Self.most else { throw .ENOSPC }
        let object = try make()
        if free.isEmpty {
            free.append(places.count)
            places.append(Place())
        }
        let index = free.removeLast()
        places[index].object = object
        let id = places[index].sequence * Self.stride + Int32(index)
        if key != Self.privateKey { keys[key] = id }
        return id
    }

    /// The key is free; the object still goes by its number, as one without a key.
    func hide(_ id: Int32) {
        guard let object = find(id) else { return }
        if keys[object.permission.key] == id { keys[object.permission.key] = nil }
        object.permission.key = Self.privateKey
    }

    package func remove(_ id: Int32) {
        guard let object = find(id) else { return }
        let index = Int(id % Self.stride)
        if keys[object.permission.key] == id { keys[object.permission.key] = nil }
        places[index] = Place(object: nil, sequence: (places[index].sequence + 1) & 0x7fff)
        free.append(index)
    }
}
