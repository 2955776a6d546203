/// Judges readings of a server's clock by this process's two clocks: the wall clock, which may be set, and the steady one, which only
/// runs. Pure; times are microseconds, those of the wall clock since the Unix epoch.
///
/// A reading is believed when it is what the clocks agreed upon before and the time that has passed since would make it, give or take
/// the tolerance. So a clock that steps for a moment is not believed, on whichever machine it stands: not even when server and process
/// share it. A step that stays, to a time on which server and process agree, is believed after the confirmation time: somebody has
/// set both clocks right.
struct ClockAgreement: Sendable {
    struct Reading: Sendable {
        /// The server's clock; read by it at some moment between the two of the steady clock.
        var server: Int64
        var askedAt: Int64
        var answeredAt: Int64
        /// The process's wall clock when the answer came.
        var wall: Int64
    }

    private let tolerance: Int64
    private let confirmation: Int64
    /// What was believed last, as the difference between wall clock and steady clock; nil before the first agreement.
    private var believed: Int64?
    /// When, by the steady clock, server and process were first found to agree on another time than the believed one.
    private var contestedSince: Int64?

    init(tolerance: Int64, confirmation: Int64) {
        self.tolerance = tolerance
        self.confirmation = confirmation
    }

    /// Whether the reading is believed.
    mutating func judge(_ reading: Reading) -> Bool {
        let asWall = reading.wall - reading.answeredAt
        if let believed, fits(reading, believed) {
            contestedSince = nil
            // Clocks are corrected by small steps now and then; what is believed follows the process's.
            if abs(asWall - believed) <= tolerance { self.believed = asWall }
            return true
        }
        guard fits(reading, asWall) else {
            contestedSince = nil
            return false
        }
        let since = contestedSince ?? reading.answeredAt
        contestedSince = since
        guard believed == nil || reading.answeredAt - since >= confirmation else { return false }
        believed = asWall
        contestedSince = nil
        return true
    }

    private func fits(_ reading: Reading, _ difference: Int64) -> Bool {
        reading.server >= reading.askedAt + difference - tolerance && reading.server <= reading.answeredAt + difference + tolerance
    }
}
