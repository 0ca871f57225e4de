import Testing

@testable import Platform

@Suite struct CompanyTests {
    private final class Stub {}

    /// Waits that follow one another at this distance, each after a call of the stub's.
    private static func parts(_ company: inout Company, _ stubs: [Stub], every ticks: UInt64, waits: Int) -> Int? {
        for wait in 0..<waits {
            company.served(ObjectIdentifier(stubs[wait % stubs.count]))
            if company.shouldPart(at: 1_000_000 + UInt64(wait) * ticks) { return wait }
        }
        return nil
    }

    @Test func partsForDenseCalls() {
        var company = Company()
        #expect(Self.parts(&company, [Stub()], every: Company.denseTicks / 5, waits: 100) == Company.leastPatience)
    }

    @Test func staysForSparseCalls() {
        var company = Company()
        #expect(Self.parts(&company, [Stub()], every: Company.denseTicks * 2, waits: 1000) == nil)
    }

    @Test func staysWhereStubsHandOver() {
        var company = Company()
        #expect(Self.parts(&company, [Stub(), Stub()], every: Company.denseTicks / 5, waits: 1000) == nil)
    }

    /// Each move that brings few calls makes the next one later; one that brings many makes it early again.
    @Test func learnsWhetherMovesPay() {
        var company = Company()
        let stub = Stub()
        var waits: [Int] = []
        for _ in 0..<4 {
            waits.append(Self.parts(&company, [stub], every: 1000, waits: 10_000) ?? -1)
        }
        #expect(waits == waits.sorted())
        #expect(company.patience >= 4 * Company.leastPatience)
        for _ in 0..<Company.worthwhile { company.served(ObjectIdentifier(stub)) }
        _ = Self.parts(&company, [stub], every: 1000, waits: 10_000)
        #expect(company.patience == Company.leastPatience)
    }

    @Test func patienceIsBounded() {
        var company = Company()
        let stub = Stub()
        for _ in 0..<40 { _ = Self.parts(&company, [stub], every: 1000, waits: 100_000) }
        #expect(company.patience == Company.mostPatience)
    }
}
