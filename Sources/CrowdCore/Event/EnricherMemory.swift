/// What enrichers remember from line to line, each under the number of a field of its own. One event's, so one worker's.
public final class EnricherMemories {
    private var memories: [AnyObject?] = []

    /// The memory under that number, made when it is first asked for; under one number it is always of one type.
    public func memory<Memory: AnyObject>(_ key: FieldKey, _ make: () -> Memory) -> Memory {
        if key < memories.count, let known = memories[key] { return unsafeDowncast(known, to: Memory.self) }
        while memories.count <= key { memories.append(nil) }
        let made = make()
        memories[key] = made
        return made
    }
}
