internal import HostSystem
internal import LinuxABI

// Beside this file, wherever links to it lie.
let own = (try? Host.linkTarget("/proc/self/exe")) ?? ""
let folder = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])

if let run = PlainRun(CommandLine.arguments, folder: folder) {
    // What cannot be executed the toolkit complains of.
    try? Host.execute(run.kernel, run.arguments, environment: [])
}
do throws(Errno) {
    try Host.execute(folder + "/apus-toolkit", CommandLine.arguments, environment: nil)
} catch {
    Host.write(
        "apus: \(folder)/apus-toolkit: cannot be executed: \(error); it belongs beside apus (swift build --product apus-toolkit)\n",
        to: 2)
    Host.exit(125)
}
