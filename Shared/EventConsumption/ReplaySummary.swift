/// What became of one dead letter in a replay.
package enum ReplayResult: Sendable, Hashable {
    case replayed
    /// The event had its effect before; now the dead letter is settled.
    case alreadyApplied
    /// The consumer has come to ignore the type; the dead letter is settled.
    case ignored
    case failed(EventFailure)
    /// Somebody else replays or settled it.
    case taken
    /// Not without force.
    case tooOld

    /// The word for people and machines.
    package var label: String {
        switch self {
        case .replayed: "replayed"
        case .alreadyApplied: "already_applied"
        case .ignored: "ignored"
        case .failed: "failed"
        case .taken: "claimed_by_another"
        case .tooOld: "too_old"
        }
    }

    package var isFailure: Bool {
        if case .failed = self { true } else { false }
    }

    /// Whether its handler had its turn, or would have had.
    package var isTried: Bool {
        switch self {
        case .replayed, .alreadyApplied, .ignored, .failed: true
        case .taken, .tooOld: false
        }
    }
}

/// What became of a replay.
package struct ReplaySummary: Sendable, Hashable {
    package enum Ending: String, Sendable, Hashable {
        case completed
        /// The canary is through; the rest waits for the operator.
        case canary
        /// Too many failed in a row.
        case circuitOpen = "circuit_open"
        case interrupted
    }

    /// Of `replay_runs`; nil of a dry run, and when there was nothing to replay.
    package var run: Int64?
    package var selected: Int
    package var replayed = 0
    package var alreadyApplied = 0
    package var ignored = 0
    package var failed = 0
    package var tooOld = 0
    /// The rows that somebody else replayed or had settled when their turn came.
    package private(set) var takenLetters: [Int64] = []
    /// Of the taken ones: open when the run ended. What becomes of them, whoever has them knows.
    package var takenStillOpen = 0
    package var ending = Ending.completed

    init(selected: Int) { self.selected = selected }

    package var taken: Int { takenLetters.count }
    package var tried: Int { replayed + alreadyApplied + ignored + failed }
    /// Whether everything that was asked for is done.
    package var isSuccess: Bool { failed == 0 && tooOld == 0 && takenStillOpen == 0 }

    mutating func count(_ result: ReplayResult, of letter: Int64) {
        switch result {
        case .replayed: replayed += 1
        case .alreadyApplied: alreadyApplied += 1
        case .ignored: ignored += 1
        case .failed: failed += 1
        case .taken: takenLetters.append(letter)
        case .tooOld: tooOld += 1
        }
    }
}
