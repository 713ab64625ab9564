import CrowdCore
import CrowdStore

/// `cscli alerts flush`: what the server does every minute, now and with limits of one's own.
enum AlertFlush {
    static func run(_ call: Invocation) throws {
        let database = try call.database()
        call.info("Flushing alerts. !! This may take a long time !!")
        let age = call.flags.duration("max-age") ?? .seconds(7 * 86400)
        let kept = Int64(call.flags.int("max-items"))
        let meter = ProgressMeter()
        defer { meter.clear() }
        var deleted = 0
        try delete(in: database, &deleted, meter) { now throws(StoreError) in
            try FlushQueries.oldAlerts(before: now - age, now: now, in: database)
        }
        try delete(in: database, &deleted, meter) { now throws(StoreError) in
            try FlushQueries.surplusAlerts(keeping: kept, now: now, in: database)
        }
        meter.clear()
        call.info("Alerts flushed")
    }

    private static func delete(
        in database: any SQLConnection, _ deleted: inout Int, _ meter: ProgressMeter,
        _ find: (Timestamp) throws(StoreError) -> [Int64]
    ) throws(StoreError) {
        while true {
            let (found, count) = try database.transaction { () throws(StoreError) in
                let alerts = try find(.now())
                let some = try AlertDeletion.deleteSome(alerts, rows: FlushQueries.rows, in: database)
                return (alerts.count, some.alerts)
            }
            deleted += count
            meter.show(deleted, "alerts deleted")
            if count == found && found < FlushQueries.batch { return }
        }
    }
}
