internal import CrowdCore
internal import Logging

extension AlertSpool {
    /// Keeps aside what the Local API refused of a batch whose other alerts it has taken.
    ///
    /// - Returns: false if the disk did not let it: the batch is to be sent again.
    func keepAside(_ refused: [AlertReceipt.Refused], of batch: inout SpoolBatch) -> Bool {
        batch.refused = 0
        guard !refused.isEmpty else { return true }
        let alerts = batch.alerts
        for refusal in refused where alerts.indices.contains(refusal.index) {
            // 201: the status of the request.
            guard keepAside(alerts[refusal.index], status: 201, reason: refusal.reason) else { return false }
            batch.refused += 1
        }
        counters.refused.add(UInt64(batch.refused))
        return true
    }
}

extension SpoolBatch {
    /// The alerts as they were sent.
    fileprivate var alerts: [EncodedAlert] {
        json.withUnsafeBufferPointer { bytes in
            var alerts: [EncodedAlert] = []
            var reader = JSONReader(bytes)
            guard (try? reader.beginArray()) != nil else { return [] }
            while (try? reader.nextElement()) == true, let raw = try? reader.rawValue() {
                let json = Array(raw)
                alerts.append(EncodedAlert(uuid: (try? JSON.parse(json))?["uuid"]?.string ?? "", json: json))
            }
            return alerts
        }
    }
}
