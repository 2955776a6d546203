/// Which failures of something that is tried again and again are worth a line in the log: the first, each with another reason, and then one
/// a minute, which says how many there were.
///
/// An outage of five minutes is a handful of lines so, however often it is tried. It decides and writes nothing: the words are the caller's.
package struct OutageLog: Sendable {
    /// Between two lines with nothing new in them.
    package static let interval = Duration.seconds(60)
    /// Reasons that are told apart; further ones are logged with the next line that is due.
    private static let maximumReasons = 8

    private var reasons: Set<String> = []
    private var lastLine: ContinuousClock.Instant?
    /// Failures since the last line.
    private var silent = 0
    private var total = 0

    package init() {}

    /// An attempt failed.
    ///
    /// - Parameter reason: Of few that there are: without a number that is another each time.
    /// - Returns: for how many failures the line stands that is to be written now, this one included; nil when none is.
    package mutating func failed(_ reason: String, at now: ContinuousClock.Instant = .now) -> Int? {
        total += 1
        silent += 1
        let isNew = reasons.count < Self.maximumReasons && reasons.insert(reason).inserted
        guard isNew || lastLine.map({ now - $0 >= Self.interval }) ?? true else { return nil }
        lastLine = now
        defer { silent = 0 }
        return silent
    }

    /// An attempt succeeded.
    ///
    /// - Returns: how often it had failed; nil when it had not.
    package mutating func succeeded() -> Int? {
        guard total > 0 else { return nil }
        defer { self = OutageLog() }
        return total
    }
}
