import Foundation
import LinuxABI
import Trace
import TraceModel

/// How the stand-in errs, so that a test has something to find.
enum Fault: String {
    case none, output, status, file, trace, crash, failure, hang
}

var words = CommandLine.arguments.dropFirst()
var environment: [String] = []
var directory = "/"
var tracePath: String?
var command: [String] = []
var fault = Fault.none
while let word = words.popFirst() {
    switch word {
    case "--syscalls":
        print("0\tread\tfull\t\n1\twrite\tpartial\tno splice\n101\tptrace\trefused\tnot inside a sandbox")
        exit(0)
    case "--env": environment.append(words.popFirst() ?? "")
    case "--cwd": directory = words.popFirst() ?? "/"
    case "--trace": tracePath = words.popFirst()
    case "--root", "--bind", "--memory": _ = words.popFirst()
    case "--readonly", "--verbose": break
    case "--fault": fault = Fault(rawValue: words.popFirst() ?? "") ?? .none
    case "--":
        command = Array(words)
        words = []
    default:
        FileHandle.standardError.write(Data("apus-kernel: \(word): not an option\n".utf8))
        exit(125)
    }
}

switch fault {
case .crash: kill(getpid(), SIGKILL)
case .failure:
    FileHandle.standardError.write(Data("apus-kernel: the host forbids user namespaces; allow them\n".utf8))
    exit(125)
case .hang:
    while true { sleep(1000) }
default: break
}

var options = NativeTracer.Options()
options.killsSurvivors = true
options.planner = PayloadPlanner(limit: PayloadPlanner.comparisonLimit)
var altered = false
do {
    let writer = try tracePath.map {
        try TraceFileWriter($0, format: .binary, header: TraceHeader(subject: .sandbox))
    }
    let run = try NativeTracer(options: options).run(
        .init(command[0], Array(command.dropFirst()), environment: environment, workingDirectory: directory)
    ) { event in
        var event = event
        if fault == .trace, !altered, case .call(let call, _) = event.kind, call.number == 39 {
            event.kind = .call(call, result: CallResult(-38))
            altered = true
        }
        try writer?.write(event)
        // Somebody may be reading along.
        try writer?.flush()
    }
    try writer?.finish()
    if fault == .output { print("a line too many") }
    if fault == .file { try Data("left".utf8).write(to: URL(fileURLWithPath: directory + "/left-behind")) }
    if fault == .status { exit(3) }
    exit(run.status.exitCode ?? 128 + (run.status.signal ?? 0))
} catch {
    FileHandle.standardError.write(Data("apus-kernel: \(error)\n".utf8))
    exit(127)
}
