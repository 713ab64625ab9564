/// Names of machines, bouncers and allowlists to be: an empty one is a variable that a script forgot to set.
enum NewName {
    private static let mostBytes = 255

    static func check(_ name: String, of what: String) throws(CommandError) {
        guard !name.isEmpty else { throw CommandError("the name of \(what) cannot be empty") }
        guard name.utf8.count <= mostBytes else {
            throw CommandError("the name of \(what) cannot be longer than \(mostBytes) bytes")
        }
    }
}
