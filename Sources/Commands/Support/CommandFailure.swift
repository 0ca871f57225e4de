internal import Corpus
internal import Expect
internal import Inspect
internal import Trace

/// Why a command can't do its work, and with which status it exits.
struct CommandFailure: Error {
    let status: Int32
    /// File, reason and remedy.
    let message: String

    /// `EX_IOERR` of sysexits.h: the default for what can't be read, written or started.
    static let inputOutput: Int32 = 74

    init(_ message: String, status: Int32 = CommandFailure.inputOutput) {
        self.message = message
        self.status = status
    }

    var text: String { Terminal.standardError.paint("apus: ", .bold, .red) + message + "\n" }

    /// Runs some work whose errors are sentences already.
    static func catching<Value>(status: Int32 = inputOutput, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as CorpusError {
            throw CommandFailure(error.description, status: status)
        } catch let error as TraceError {
            throw CommandFailure(error.description, status: status)
        } catch let error as ExpectationsError {
            throw CommandFailure(error.description, status: status)
        } catch let error as InspectError {
            throw CommandFailure(error.description, status: status)
        }
    }
}
