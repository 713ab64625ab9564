import CrowdTools
import Glibc

/// `cscli`: the operator's tool.
@main struct Main {
    static func main() async { exit(await Cscli().run(Array(CommandLine.arguments.dropFirst()))) }
}
