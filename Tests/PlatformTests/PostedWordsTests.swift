import Stub
import Testing

@testable import Platform

extension PlatformTests {
    @Suite("Words in which stubs count what they have posted")
    struct PostedWordsTests {
        /// Whether a look finds something; all of it is taken.
        private static func look(_ words: inout PostedWords, takes: Bool = true) -> Bool {
            defer { if takes { words.taken() } }
            return words.look()
        }

        @Test("whatever changes is found once, and all before the words are known")
        func changes() throws {
            let platform = try TrapPlatform()
            defer { platform.shutDown() }
            let one = try StubProcess(platform: platform)
            let other = try StubProcess(platform: platform)
            var words = PostedWords()
            for _ in 0..<2 { #expect(Self.look(&words)) }
            words.watch(calls: [one, other], mappings: [one], ends: [other])
            #expect(Self.look(&words))
            #expect(!Self.look(&words))
            for (process, offset) in [
                (one, Int(APUS_CARDS_OFFSET)), (other, Int(APUS_CARDS_OFFSET)), (one, Int(APUS_MAPPINGS_OFFSET)),
                (other, StubProcess.endedOffset),
            ] {
                process.contexts.increment(at: offset)
                #expect(Self.look(&words))
                #expect(!Self.look(&words))
            }
            // Nobody looks there.
            other.contexts.increment(at: Int(APUS_MAPPINGS_OFFSET))
            #expect(!Self.look(&words))
            // Found, and not taken: somebody else looks meanwhile.
            one.contexts.increment(at: Int(APUS_CARDS_OFFSET))
            for _ in 0..<2 { #expect(Self.look(&words, takes: false)) }
            words.taken()
            words.forget()
            for _ in 0..<2 { #expect(Self.look(&words)) }
            one.kill()
            other.kill()
        }

        @Test("they are worth collecting when they have stayed the same for a while")
        func patience() {
            var words = PostedWords()
            let looks = (1...100).first { _ in words.isDue() } ?? 0
            #expect(looks > 8 && looks < 100)
            words.watch(calls: [], mappings: [], ends: [])
            var isDue = words.isDue()
            #expect(!isDue)
            words.forget()
            isDue = words.isDue()
            #expect(!isDue)
        }
    }
}
