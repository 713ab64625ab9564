import CrowdCore
import Glibc

/// A question before something is lost. Without a terminal the answer is no.
enum Confirmation {
    static func ask(_ question: String, on terminal: Terminal) -> Bool {
        guard isatty(0) == 1 else { return false }
        terminal.print("\(question) [y/N] ", terminator: "")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }

    /// Asks on the terminal itself, whatever standard input is. Without one nobody can be asked: the answer is yes.
    static func asksTerminal(_ question: String) -> Bool {
        guard let terminal = fopen("/dev/tty", "r+") else { return true }
        defer { fclose(terminal) }
        fputs("\(question) [Y/n] ", terminal)
        fflush(terminal)
        var answer = [CChar](repeating: 0, count: 64)
        guard fgets(&answer, Int32(answer.count), terminal) != nil else { return false }
        let word = String(decoding: answer.prefix { $0 > 32 }.map { UInt8($0) }, as: UTF8.self).lowercased()
        return ["", "y", "yes"].contains(word)
    }
}

/// `prune` of machines and bouncers: shows who would go, asks, deletes.
struct Pruning {
    let call: Invocation
    /// `machines`
    let plural: String

    /// - Parameters:
    ///   - table: of those to be deleted.
    ///   - count: how many they are.
    func run(table: Table, count: Int, _ delete: () throws -> Void) throws {
        guard count > 0 else { return call.print("No \(plural) to prune.") }
        call.terminal.print(table.text(.light), terminator: "")
        if !call.flags.isOn("force") {
            call.print("You are about to PERMANENTLY remove the above \(plural) from the database.")
            call.print("These will NOT be recoverable.")
            guard Confirmation.ask("Continue?", on: call.terminal) else {
                return call.print("User aborted prune. No changes were made.")
            }
        }
        try delete()
        call.terminal.note("Successfully deleted \(count) \(plural)")
    }

    /// A very short duration would take clients that are merely between two polls.
    func mayBe(_ duration: GoDuration, atLeast seconds: Int64, of things: String) -> Bool {
        guard duration.seconds < Double(seconds), !call.flags.isOn("force") else { return true }
        let question =
            "The duration you provided is less than \(seconds / 60) minutes. This may remove active \(things)."
        if Confirmation.ask("\(question) Continue?", on: call.terminal) { return true }
        call.print("User aborted prune. No changes were made.")
        return false
    }
}
