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
        // These have numbers, and no places.
        let placeless: [(LocalAnswer, Int32)] = [
            (.positionedWrite, APUS_LOCAL_PWRITE), (.endOfHeap, APUS_LOCAL_BREAK), (.threadPointer, APUS_LOCAL_ARCH),
            (.threadIDAddress, APUS_LOCAL_TID_ADDRESS), (.resourceLimit, APUS_LOCAL_GETRLIMIT),
            (.processLimit, APUS_LOCAL_PRLIMIT), (.protect, APUS_LOCAL_PROTECT),
        ]
        #expect(placeless.allSatisfy { $0.rawValue == Int($1) && $0.rawValue >= GuestLayout.localAnswers })
        let placed = places.filter { $0 > 0 && $0 < GuestLayout.localAnswers }
        #expect(placed.count + placeless.count == places.count)
    }
}
