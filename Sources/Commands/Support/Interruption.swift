internal import Dispatch
internal import Foundation

/// What is done when the user (SIGINT) or the system (SIGTERM) wants this process to end: some last work, then the end with
/// the status that a shell gives it. A second signal ends it at once, unless it comes together with the first: timeout(1)
/// sends two. What was started here dies with it anyway.
final class Interruption {
    /// How long a second signal counts as the first, in milliseconds.
    private static let together = 500

    private let sources: [any DispatchSourceSignal]

    init(_ lastWork: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                source.cancel()
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Self.together)) {
                    signal(number, SIG_DFL)
                }
                lastWork()
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    /// From here on signals end the process at once again.
    func end() {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
