extension JSONWriter {
    public mutating func member(_ name: StaticString, _ value: String) {
        key(name)
        string(value)
    }

    public mutating func member(_ name: StaticString, _ value: some BinaryInteger) {
        key(name)
        int(value)
    }

    public mutating func member(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    public mutating func member(_ name: StaticString, _ value: [String]) {
        key(name)
        beginArray()
        for element in value { string(element) }
        endArray()
    }

    /// Writes `[{"key": …, "value": …}, …]`.
    public mutating func member(_ name: StaticString, _ value: [MetaItem]) {
        key(name)
        beginArray()
        for item in value { item.write(to: &self) }
        endArray()
    }
}
