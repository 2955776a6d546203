/// How far a relay has come in the partitions that it leases, without any input or output.
///
/// Ids are drawn before their transactions commit, so an event may become visible after one with a larger id. Each is published as soon as
/// it is seen; only the mark waits, because what lies behind it is never looked at again. It moves up to the highest id of which three
/// things hold: every event of the partition up to it is settled, all up to it have been read, and no transaction is open that might yet
/// show a smaller one (the horizon).
package struct RelayProgress: Sendable {
    private struct Partition {
        let epoch: Int64
        /// As the database has it.
        var marked: Int64
        /// Every event up to here that was visible has been taken.
        var cursor: Int64
        /// Taken and not settled, ascending.
        var unsettled: [Int64] = []
        /// The highest that was settled.
        var settled: Int64 = 0
        /// Whether nothing more is to be read, because it will be given back.
        var isRetiring = false

        /// Nothing up to here will yet become visible that is not published.
        func floor(_ horizon: Int64) -> Int64 { max(horizon, marked) }
    }

    /// A mark as the database is to have it.
    package struct Mark: Sendable, Hashable {
        package let partition: Int
        package let epoch: Int64
        package let through: Int64
    }

    private var partitions: [Partition?] = Array(repeating: nil, count: OutboxPartition.count)
    /// No event up to here will yet become visible.
    package private(set) var horizon: Int64 = 0
    /// Who wrote to the outbox at one moment.
    package struct Writing: Sendable, Hashable {
        /// The highest id that was drawn, read first.
        package let lastID: Int64
        /// The transactions that then held the outbox open for writing. Whoever draws an id does, from before until its end.
        package let writers: Set<String>

        package init(lastID: Int64, writers: Set<String>) {
            self.lastID = lastID
            self.writers = writers
        }
    }

    /// Its ids were drawn by transactions that have ended or are among its writers.
    private var candidate: Writing?
    /// The life of the server in which all this was seen; nil before the first look.
    package private(set) var life: Int64?
    private var takenAboveHorizon: Set<Int64> = []

    package init() {}

    package var leased: [Int] { partitions.indices.filter { partitions[$0] != nil } }

    package func epoch(of partition: Int) -> Int64? { partitions[partition]?.epoch }

    /// A partition was leased: everything after its mark is to be read.
    package mutating func lease(_ partition: Int, epoch: Int64, markedThrough mark: Int64) {
        partitions[partition] = Partition(epoch: epoch, marked: mark, cursor: mark)
    }

    /// A partition is to be given back: nothing more of it is read.
    package mutating func retire(_ partition: Int) { partitions[partition]?.isRetiring = true }

    package var retiring: [Int] { partitions.indices.filter { partitions[$0]?.isRetiring ?? false } }

    /// A partition is another's now; what becomes of its events is no longer ours to say.
    package mutating func drop(_ partition: Int) {
        partitions[partition] = nil
    }

    /// Tells what the outbox looked like at one moment; to be called before `take` with what was read after that moment.
    ///
    /// - Returns: the horizon that holds once everything visible up to it is taken; for ``reached(horizon:)``.
    package mutating func observe(_ writing: Writing) -> Int64 {
        var reachable = horizon
        if let previous = candidate, previous.writers.isDisjoint(with: writing.writers) {
            reachable = max(reachable, previous.lastID)
            candidate = nil
        }
        guard candidate == nil else { return reachable }
        if writing.writers.isEmpty { return max(reachable, writing.lastID) }
        candidate = writing
        return reachable
    }

    /// Tells in which life of the server a look was made.
    ///
    /// - Returns: false when it is another than before: ids that this progress counts on may be drawn again, so that all of it is void. What
    ///   is marked in the database holds.
    package mutating func isValid(in life: Int64) -> Bool {
        defer { self.life = life }
        return self.life == nil || self.life == life
    }

    /// Everything up to here that will ever be visible has been taken, as far as cursors reach.
    package mutating func reached(horizon reached: Int64) {
        guard reached > horizon else { return }
        horizon = reached
        takenAboveHorizon = takenAboveHorizon.filter { $0 > reached }
    }

    /// Where to read on: one entry per partition, the highest number there is for those of which nothing more is read.
    package var starts: [Int64] { partitions.map { $0.map { $0.isRetiring ? .max : $0.cursor } ?? .max } }

    /// Between these, the first exclusive, ids may yet become visible; one pair per partition. A partition that is about to be given back
    /// has them too: its mark must not pass an event that was never seen.
    package var gaps: (floors: [Int64], cursors: [Int64]) {
        (partitions.map { $0?.floor(horizon) ?? .max }, partitions.map { $0?.cursor ?? 0 })
    }

    package var mayHaveGaps: Bool { partitions.contains { partition in partition.map { $0.cursor > $0.floor(horizon) } ?? false } }

    /// Whether a mark waits for the horizon.
    package var needsHorizon: Bool { partitions.contains { ($0?.cursor ?? 0) > horizon } }

    /// The ids above the horizon that were taken; what else becomes visible there was missed.
    package var taken: [Int64] { Array(takenAboveHorizon) }
    package var takenCount: Int { takenAboveHorizon.count }

    /// Takes events that were read.
    ///
    /// - Returns: those that are new and belong to a leased partition, ascending.
    package mutating func take(_ rows: [OutboxRow]) -> [OutboxRow] {
        var new: [OutboxRow] = []
        for row in rows.sorted(by: { $0.id < $1.id }) {
            guard var partition = partitions[row.partition] else { continue }
            let isGap = row.id > partition.floor(horizon) && !takenAboveHorizon.contains(row.id)
            guard row.id > partition.cursor || isGap else { continue }
            partition.unsettled.insert(row.id, at: partition.unsettled.insertionIndex(of: row.id))
            partitions[row.partition] = partition
            if row.id > horizon { takenAboveHorizon.insert(row.id) }
            new.append(row)
        }
        return new
    }

    /// Every visible event of the leased partitions up to this id has been taken.
    package mutating func read(through id: Int64) {
        for index in partitions.indices {
            guard let partition = partitions[index], partition.cursor < id, !partition.isRetiring else { continue }
            partitions[index]?.cursor = id
        }
    }

    /// An event was published or is held. Of a partition that was leased anew since, or lost, this says nothing.
    package mutating func settle(_ id: Int64, partition index: Int, epoch: Int64) {
        guard var partition = partitions[index], partition.epoch == epoch else { return }
        let place = partition.unsettled.insertionIndex(of: id)
        guard place < partition.unsettled.count, partition.unsettled[place] == id else { return }
        partition.unsettled.remove(at: place)
        partition.settled = max(partition.settled, id)
        partitions[index] = partition
    }

    private func reachable(_ partition: Partition) -> Int64 {
        min(horizon, partition.cursor, (partition.unsettled.first ?? .max) - 1)
    }

    /// The marks that may move now.
    ///
    /// - Parameter all: also of partitions in which nothing was published since.
    package func marks(all: Bool) -> [Mark] {
        partitions.enumerated().compactMap { index, partition in
            guard let partition, partition.settled > partition.marked || all else { return nil }
            let through = reachable(partition)
            return through > partition.marked ? Mark(partition: index, epoch: partition.epoch, through: through) : nil
        }
    }

    /// The database has these marks.
    package mutating func marked(_ marks: [Mark]) {
        for mark in marks {
            guard let partition = partitions[mark.partition], partition.epoch == mark.epoch else { continue }
            partitions[mark.partition]?.marked = max(partition.marked, mark.through)
        }
    }

    /// Whether everything of a partition that was taken is settled, and marked.
    package func isDone(_ partition: Int) -> Bool {
        guard let partition = partitions[partition] else { return true }
        return partition.unsettled.isEmpty && partition.settled <= partition.marked
    }
}

extension [Int64] {
    /// The place of an element, or where it would go, in an ascending array.
    fileprivate func insertionIndex(of element: Int64) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
