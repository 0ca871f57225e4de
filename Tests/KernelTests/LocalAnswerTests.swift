import Platform
import Stub
import Testing

@testable import Kernel

@Suite("Calls that stubs answer by themselves")
struct LocalAnswerTests {
    @Test("have the places that stubs know them by")
    func places() {
        #expect(LocalAnswer.yield.rawValue == GuestLayout.localYield)
        let places = LocalAnswer.allCases.map(\.rawValue)
        #expect(Set(places).count == places.count)
        // This one has a number, and no place.
        let posted = LocalAnswer.positionedWrite.rawValue
        #expect(posted == Int(APUS_LOCAL_PWRITE))
        #expect(places.allSatisfy { $0 > 0 && $0 < GuestLayout.localAnswers || $0 == posted })
    }
}
