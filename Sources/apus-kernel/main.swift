internal import Sandbox

Sandbox.main(arguments: Array(CommandLine.arguments.dropFirst()))
