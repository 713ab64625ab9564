public import CrowdCore

extension JSONWriter {
    /// The member `metrics` of one component in `POST /v1/usage-metrics`: its figures, and the time they were counted in
    /// (protocol facts A.11).
    public mutating func usageMetrics(
        at now: Timestamp, window: GoDuration, items: (inout JSONWriter) -> Void
    ) {
        key("metrics")
        beginArray()
        beginObject()
        key("items")
        beginArray()
        items(&self)
        endArray()
        key("meta")
        beginObject()
        member("utc_now_timestamp", now.seconds)
        member("window_size_seconds", Int(window.seconds))
        endObject()
        endObject()
        endArray()
    }
}
