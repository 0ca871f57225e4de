import Foundation
import LinuxABI
import Testing

@Suite("The table of system calls")
struct SyscallTableTests {
    /// `data/syscalls.json`'s calls of an architecture.
    private func calls(of architecture: SyscallArchitecture) throws -> [[String: Any]] {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: root.appendingPathComponent("data/syscalls.json"))
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let architectures = try #require(json["architectures"] as? [String: [String: Any]])
        return try #require(architectures[architecture.rawValue]?["calls"] as? [[String: Any]])
    }

    /// The value of a `[value, source]` pair.
    private func value(_ field: Any?) -> String? { (field as? [String])?.first }

    @Test("the compiled table says what the data file says", arguments: SyscallArchitecture.allCases)
    func agreement(architecture: SyscallArchitecture) throws {
        let expected = try calls(of: architecture)
        let rows = SyscallTable.descriptions(for: architecture)
        #expect(rows.map(\.number) == expected.compactMap { $0["number"] as? Int })
        #expect(rows.map(\.name) == expected.compactMap { $0["name"] as? String })
        #expect(rows.map(\.isInLinux) == expected.compactMap { $0["inLinux"] as? Bool })
        #expect(rows.map(\.result.rawValue) == expected.compactMap { value($0["result"]) })
        for (row, call) in zip(rows, expected) {
            let parameters = call["parameters"] as? [[String: Any]] ?? []
            #expect(row.parameters.map(\.name) == parameters.compactMap { value($0["name"]) }, "\(row.name)")
            #expect(row.parameters.map(\.cType) == parameters.compactMap { value($0["cType"]) }, "\(row.name)")
            #expect(row.parameters.map(\.role.rawValue) == parameters.compactMap { value($0["role"]) }, "\(row.name)")
            #expect(
                row.parameters.map(\.direction.rawValue) == parameters.compactMap { value($0["direction"]) },
                "\(row.name)")
            #expect(row.parameters.map(\.flagSet) == parameters.map { value($0["flagSet"]) }, "\(row.name)")
        }
    }

    @Test("extents are decoded with the parameter that counts")
    func extents() throws {
        let table = SyscallTable.x86_64
        func extents(_ name: String) -> [Extent] { table[name]?.parameters.map(\.extent) ?? [] }
        #expect(extents("read") == [.none, .resultBytes(parameter: 2), .none])
        #expect(extents("write") == [.none, .bytes(parameter: 2), .none])
        #expect(extents("stat") == [.string, .fixed(144)])
        #expect(extents("poll") == [.array(element: 8, parameter: 1), .none, .none])
        #expect(extents("execve") == [.string, .stringVector, .stringVector])
        #expect(extents("readv") == [.none, .ioVector(parameter: 2), .none])
        #expect(extents("sendmsg") == [.none, .messageHeader, .none])
        #expect(extents("getgroups") == [.none, .resultArray(element: 4, parameter: 0)])
        #expect(extents("select").prefix(2) == [.none, .bits(parameter: 0)])
        #expect(extents("mincore") == [.none, .none, .pages(parameter: 1)])
    }

    @Test("extents alone are those of the descriptions")
    func extentsAlone() {
        let calls = SyscallTable.extents()
        let descriptions = SyscallTable.descriptions(for: .x86_64)
        #expect(calls.map(\.number) == descriptions.map(\.number))
        for (call, description) in zip(calls, descriptions) {
            #expect(call.parameters.map(\.extent) == description.parameters.map(\.extent), "\(description.name)")
            #expect(call.parameters.map(\.direction) == description.parameters.map(\.direction), "\(description.name)")
        }
    }

    @Test("every parameter that an extent counts with exists", arguments: SyscallArchitecture.allCases)
    func indices(architecture: SyscallArchitecture) {
        for call in SyscallTable.descriptions(for: architecture) {
            for parameter in call.parameters {
                let index: Int? =
                    switch parameter.extent {
                    case .bytes(let index), .array(_, let index), .ioVector(let index), .resultBytes(let index),
                        .resultArray(_, let index), .bits(let index), .pages(let index):
                        index
                    default: nil
                    }
                #expect(index.map { $0 < call.parameters.count } ?? true, "\(call.name) \(parameter.name)")
                if parameter.direction == .value { #expect(parameter.extent == .none, "\(call.name)") }
            }
        }
    }

    @Test("whatever number a guest asks for, the table answers")
    func numbers() {
        let table = SyscallTable.x86_64
        for number in [-1, Int.min, Int.max, 336, 423, 463, 1 << 30] { #expect(table[number] == nil) }
        #expect(table[0]?.name == "read")
        #expect(table[462]?.name == "mseal")
        #expect(table["no_such_call"] == nil)
        #expect(table["uselib"]?.isInLinux == false)
    }
}
