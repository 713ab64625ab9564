import CrowdCore
import CrowdText

/// Which containers, or which services, are read.
struct DockerSelector: Sendable {
    /// What is known of a candidate without asking for it alone.
    struct Candidate: Sendable, Equatable {
        var id: String
        /// As the engine tells them: a container's begin with `/`.
        var names: [String]
        var image = ""
        var labels: [String: String] = [:]
    }

    /// How the lines of one that was found are called and labelled.
    struct Match: Sendable, Equatable {
        /// `evt.Line.Src`
        var source: String
        /// Instead of the acquisition's own; nil for those.
        var labels: [String: String]?
    }

    static let enableLabel = "crowdsec.enable"
    static let labelPrefix = "crowdsec.labels."

    var ids: [String] = []
    var names: [String] = []
    var images: [String] = []
    var idPatterns: [GoPattern] = []
    var namePatterns: [GoPattern] = []
    var imagePatterns: [GoPattern] = []
    var usesLabels = false

    var isEmpty: Bool {
        ids.isEmpty && names.isEmpty && images.isEmpty && idPatterns.isEmpty && namePatterns.isEmpty
            && imagePatterns.isEmpty && !usesLabels
    }

    /// By id, name, patterns of either, image, labels, in that order.
    func match(_ candidate: Candidate) -> Match? {
        let name = candidate.names.first ?? candidate.id
        if ids.contains(where: { $0 == candidate.id || ($0.count >= 12 && candidate.id.hasPrefix($0)) }) {
            return Match(source: name)
        }
        for known in candidate.names {
            let bare = known.hasPrefix("/") ? String(known.dropFirst()) : known
            if names.contains(bare) || names.contains(known) { return Match(source: bare) }
        }
        if Self.matches(idPatterns, candidate.id) { return Match(source: name) }
        if let known = candidate.names.first(where: { Self.matches(namePatterns, $0) }) { return Match(source: known) }
        if images.contains(candidate.image) || Self.matches(imagePatterns, candidate.image) {
            return Match(source: name)
        }
        return usesLabels ? labelled(candidate, name) : nil
    }

    private static func matches(_ patterns: [GoPattern], _ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in patterns.contains { $0.matches(ByteSlice(bytes)) } }
    }

    /// Its own labels say that it is read, and as what.
    private func labelled(_ candidate: Candidate, _ name: String) -> Match? {
        guard candidate.labels[Self.enableLabel]?.lowercased() == "true" else { return nil }
        var labels: [String: String] = [:]
        for (key, value) in candidate.labels where key.hasPrefix(Self.labelPrefix) {
            labels[String(key.dropFirst(Self.labelPrefix.count))] = value
        }
        return Match(source: name, labels: labels)
    }
}
