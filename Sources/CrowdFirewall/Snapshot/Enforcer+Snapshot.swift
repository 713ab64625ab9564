internal import CrowdCore
internal import Logging

/// What is in force before the Local API has answered.
extension Enforcer {
    /// Takes over what the kernel has, and beside it the last snapshot's bans that are not over. Neither takes anything
    /// away: the kernel may know later decisions than the snapshot, and after a reboot it knows none.
    func adopt() -> Verification {
        var found = DesiredState()
        adoptAllowances()
        for (family, layout) in layouts { adopt(layout, family, &found) }
        var count = 0
        if let directory = config.stateDirectory, let snapshot = read(directory) {
            for (id, bans) in snapshot.state.sets where layouts[id.family] != nil {
                let origin = snapshot.origins[id.origin]
                let number = origins.number(label: origin.label, name: origin.name)
                found.merge(bans, into: SetID(family: id.family, origin: number))
                count += bans.count
            }
            if allowed.entries(.localAPI).isEmpty && config.usesLocalAPIAllowlists {
                _ = allowed.replace(.localAPI, with: snapshot.allowed)
            }
        }
        take(adopted: found)
        let result = converge(isFirst: true)
        if count > 0 {
            log.info(
                "The last decisions are in force until the Local API answers",
                metadata: ["decisions": "\(count)", "changed": "\(result.repaired)"])
        }
        return result
    }

    private func adopt(_ layout: TableLayout, _ family: Family, _ found: inout DesiredState) {
        let latest = Allowances.Entry.never
        let shapes = (try? filter.table(layout).sets) ?? [:]
        func insert(_ set: KernelSet, _ origin: Int) {
            // Large sets are left as they are until the Local API has answered.
            let limit = set.isInterval ? Self.largeCover : Self.largeSet
            guard set.kind == .prefixes || (shapes[set.name]?.count ?? 0) <= limit else { return }
            for segment in (try? filter.elements(of: set)) ?? [] {
                let id = SetID(family: family, origin: origin)
                found.insertLongest(Ban(set: id, span: segment.span, deadline: min(segment.deadline, latest)))
            }
        }
        guard !layout.isSetOnly else { return insert(layout.single, origins.number(name: "adopted")) }
        for name in layout.origins {
            insert(layout.hosts(name), origins.number(name: name))
            insert(layout.ranges(name), origins.number(name: name))
        }
    }

    /// What was allowlisted stays so until the Local API has been asked.
    private func adoptAllowances() {
        guard config.usesLocalAPIAllowlists else { return }
        let entries = layouts.values.filter { !$0.isSetOnly }.flatMap { layout in
            ((try? filter.elements(of: layout.protected)) ?? []).map {
                Allowances.Entry(layout.family, $0.span, until: $0.deadline)
            }
        }
        _ = allowed.replace(.localAPI, with: entries)
    }

    private func read(_ directory: String) -> Snapshot? {
        do {
            guard var reader = try SnapshotReader(directory, key: try SnapshotFile.key(directory)) else { return nil }
            return try Snapshot(from: &reader, longestName: origins.longestName)
        } catch {
            log.error("The snapshot of the last decisions is not used", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// The snapshot, to be stored elsewhere: disks are slow. Only a complete list, once there was one, is worth it.
    func snapshot() -> Result<[UInt8], SnapshotError>? {
        guard let directory = config.stateDirectory, hasDecisions else { return nil }
        do throws(SnapshotError) {
            var writer = SnapshotWriter(key: try SnapshotFile.key(directory))
            Snapshot.write(desired, origins, allowed.entries(.localAPI), to: &writer)
            return .success(writer.finish())
        } catch {
            return .failure(error)
        }
    }
}
