internal import CYAML

/// One libyaml event, copied out of its C memory.
struct YAMLEvent {
    enum Kind {
        case streamEnd, documentStart, other
        case alias(String)
        case scalar(text: String, plain: Bool)
        case sequenceStart, mappingStart
        /// The end of a sequence or a mapping.
        case end
    }

    var kind: Kind
    var anchor: String?
    var mark: SourceMark

    init(_ event: yaml_event_t, file: String) {
        mark = SourceMark(event.start_mark, file: file)
        switch event.type {
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_ALIAS_EVENT: kind = .alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            anchor = Self.text(event.data.scalar.anchor)
            kind = Self.scalar(event)
        case YAML_SEQUENCE_START_EVENT:
            anchor = Self.text(event.data.sequence_start.anchor)
            kind = .sequenceStart
        case YAML_MAPPING_START_EVENT:
            anchor = Self.text(event.data.mapping_start.anchor)
            kind = .mappingStart
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .end
        default: kind = .other
        }
    }

    private static func scalar(_ event: yaml_event_t) -> Kind {
        let bytes = UnsafeBufferPointer(start: event.data.scalar.value, count: event.data.scalar.length)
        let isString = text(event.data.scalar.tag) == "tag:yaml.org,2002:str"
        let plain = event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !isString
        return .scalar(text: String(decoding: bytes, as: UTF8.self), plain: plain)
    }

    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(cString: $0) }
    }
}

extension SourceMark {
    init(_ mark: yaml_mark_t, file: String) {
        self.init(file: file, line: mark.line + 1, column: mark.column + 1)
    }
}
