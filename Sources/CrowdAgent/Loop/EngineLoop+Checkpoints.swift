import CrowdAcquisition
import CrowdCore
import CrowdEngine
import CrowdLAPI
import Logging

/// What the loop keeps across restarts, and how it goes on from there (decision 0007).
extension EngineLoop {
    // MARK: checkpoints

    func note(_ batch: LineBatch, in store: CheckpointStore) {
        let id = ObjectIdentifier(batch.origin)
        if origins[id] == nil {
            let number = origins.count
            origins[id] = (number, batch.origin)
            store.note(.origin(number, batch.origin))
        }
        var redo = RedoBatch(
            origin: origins[id]?.number ?? 0, time: batch.time, isLate: batch.isLate, place: batch.place,
            isOwnText: batch.isOwnText)
        if !batch.isReadAgain { redo.source = batch }
        store.note(.batch(redo))
    }

    var isCheckpointDue: Bool {
        guard let store, bytesSinceCheckpoint > 0, Timestamp.now() >= checkpointPause else { return false }
        if store.redoBytes > Self.mostRedoBytes || bytesSinceCheckpoint > Self.mostLogBytes { return true }
        let interval = max(Self.checkpointInterval, GoDuration(nanoseconds: checkpointCost.nanoseconds * 50))
        return Timestamp.now() - lastCheckpoint > interval
    }

    func writeCheckpoint(waits: Bool) {
        guard let store else { return }
        if waits { store.settle() }
        worker.settleWaiting(all: true)
        send()
        // The lines of these alerts will not be gone through again.
        guard outlets.spool?.secure() != false else {
            checkpointPause = Timestamp.now() + Self.pauseAfterFailure
            return
        }
        guard let generation = store.begin() else { return }
        let start = Timestamp.now()
        origins = [:]
        bytesSinceCheckpoint = 0
        checkpoint.generation = generation
        var buckets = ByteWriter()
        worker.writeSnapshot(to: &buckets)
        checkpoint.buckets = buckets.bytes
        forgetOldPositions()
        store.commit(checkpoint, waits: waits)
        checkpoint.buckets = []
        lastCheckpoint = Timestamp.now()
        checkpointCost = lastCheckpoint - start
    }

    /// A name that nobody has for the moment may be between two files: names go only when there are very many.
    func forgetOldPositions() {
        guard checkpoint.positions.count > 4_096 else { return }
        checkpoint.positions = checkpoint.positions.filter { FileContents.exists($0.key) }
    }

    func restore(_ buckets: [UInt8]) {
        guard !buckets.isEmpty else { return }
        do {
            let result = try buckets.withUnsafeBufferPointer { buffer throws(DamagedBytes) in
                var reader = ByteReader(buffer)
                return try worker.restoreSnapshot(&reader)
            }
            log.info("Buckets go on. restored=\(result.restored) of_changed_scenarios=\(result.dropped)")
        } catch {
            log.error("Buckets could not be taken over, they begin anew. error=\"\(error)\"")
        }
    }

    // MARK: recovery

    /// Goes on where an earlier agent was, whatever ended it; to be called once, before sources and thread start.
    public func recover() {
        guard let store else { return }
        var (found, records) = store.recover()
        let failed = store.beginRecovery()
        if failed >= Self.patienceWithRedo {
            log.error("Lines since the last checkpoint are left out: going through them again failed \(failed) times")
            for case .batch(let batch) in records { found.advance(past: batch.place) }
            records = records.filter { if case .raised = $0 { true } else { false } }
        }
        if failed >= Self.patienceWithBuckets {
            log.error("Buckets of the last checkpoint are left out: taking them over failed \(failed) times")
            found.buckets = []
        }
        checkpoint = found
        worker = newWorker(content)
        restore(checkpoint.buckets)
        checkpoint.buckets = []
        known = outlets.spool?.waiting ?? []
        for case .raised(let uuids) in records { known.formUnion(uuids) }
        isRecovering = true
        redo(records)
        isRecovering = false
        known = []
        for position in checkpoint.positions.values { outlets.positions.save(position) }
        if let saved = store.savedAt { outlets.cursors.watched(until: saved) }
        for (source, cursor) in checkpoint.cursors { outlets.cursors.save(cursor, of: source) }
        worker.resetCounts()
        metrics = EngineMetrics(registry, content: content)
        writeCheckpoint(waits: true)
        store.endRecovery()
    }

    /// Processes again what came after the checkpoint; alerts that are in the spool are not put there twice.
    func redo(_ records: [RedoRecord]) {
        var origins: [Int: LineOrigin] = [:]
        let spans = SpanReader()
        var lines = 0
        for record in records {
            switch record {
            case .origin(let number, let origin): origins[number] = origin
            case .raised: break
            case .batch(let redo):
                guard let origin = origins[redo.origin] else { continue }
                if !redo.isLate { worker.sweep(at: redo.time) }
                if let batch = batch(redo, origin, spans) {
                    lines += batch.count
                    run(batch)
                }
                checkpoint.advance(past: redo.place)
                send()
            }
        }
        worker.settleWaiting(all: true)
        send()
        if lines > 0 { log.info("Lines since the last checkpoint were gone through again. lines=\(lines)") }
        if spans.missing > 0 {
            log.warning(
                "Lines of an earlier run could not be read again: their buckets may lack them. batches=\(spans.missing)"
            )
        }
    }

    func batch(_ redo: RedoBatch, _ origin: LineOrigin, _ spans: SpanReader) -> LineBatch? {
        let batch: LineBatch
        if case .file(let span) = redo.place, !redo.isOwnText {
            guard let read = spans.lines(of: span, origin: origin, time: redo.time) else { return nil }
            batch = read
        } else {
            batch = LineBatch(origin, capacity: redo.lines.reduce(0) { $0 + $1.count }, time: redo.time)
            for line in redo.lines { line.withUnsafeBufferPointer { batch.append(ByteSlice($0)) } }
        }
        batch.isLate = redo.isLate
        batch.place = redo.place
        return batch
    }
}
