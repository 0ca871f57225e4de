import Foundation
import HostSystem
import LinuxABI
import Synchronization
import Testing

private typealias Host = HostSystem.Host

@Suite("Landlock's confinement", .enabled(if: Host.landlockVersion >= 2, "the host has no Landlock"))
struct LandlockTests {
    /// What a thread could do once it was confined. It is confined alone, and for good: it ends.
    private static func confined(
        to given: [(path: String, right: Host.Right)], _ body: @escaping @Sendable () -> [String: Errno?]
    ) -> [String: Errno?] {
        let found = Mutex<[String: Errno?]>([:])
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            defer { done.signal() }
            var descriptors: [(descriptor: Int32, right: Host.Right)] = []
            for (path, right) in given {
                if let descriptor = try? Host.openPath(path) { descriptors.append((descriptor, right)) }
            }
            defer { for (descriptor, _) in descriptors { Host.close(descriptor) } }
            do throws(Errno) {
                try Host.forgoPrivileges()
                try Host.restrictFiles(to: descriptors)
            } catch {
                return found.withLock { $0 = ["confine": error] }
            }
            let outcome = body()
            found.withLock { $0 = outcome }
        }
        thread.start()
        done.wait()
        return found.withLock { $0 }
    }

    private static func open(_ path: String, writing: Bool = false) -> Errno? {
        do throws(Errno) {
            Host.close(try Host.openFile(path, writing: writing))
            return nil
        } catch {
            return error
        }
    }

    @Test("refuses to open what was not given, and lets through what was")
    func refuses() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("landlock-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["read", "change", "other"] {
            let inner = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: inner.appendingPathComponent("file"))
        }
        let path = folder.path
        let outcome = Self.confined(to: [("\(path)/read", .reading), ("\(path)/change", .changing)]) {
            [
                "read": Self.open("\(path)/read/file"), "read, to write": Self.open("\(path)/read/file", writing: true),
                "change": Self.open("\(path)/change/file", writing: true),
                "other": Self.open("\(path)/other/file"), "by way of": Self.open("\(path)/read/../other/file"),
                "passwd": Self.open("/etc/passwd"), "memory": Self.open("/proc/self/mem", writing: true),
            ]
        }
        let expected: [String: Errno?] = [
            "read": nil, "read, to write": .EACCES, "change": nil, "other": .EACCES, "by way of": .EACCES,
            "passwd": .EACCES, "memory": .EACCES,
        ]
        #expect(outcome == expected)
        // Whoever was not confined goes on as before.
        #expect(Self.open("\(path)/other/file", writing: true) == nil)
    }
}
