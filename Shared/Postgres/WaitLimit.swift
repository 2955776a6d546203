/// How long a session waits for its server before it gives up.
package enum WaitLimit: Sendable, Hashable {
    /// Until then, for everything together: the deadline of a request.
    case until(ContinuousClock.Instant)
    /// That long for every statement: work that nobody waits for.
    case perStatement(Duration)
    /// For as long as the server lets somebody else in, which it is asked so often: a command's statements, which may take hours by right.
    case whileServerLives(asking: Duration = .seconds(10))

    /// Holds where the caller has no deadline of its own. What takes longer by right says so.
    package static let standard = WaitLimit.perStatement(.seconds(30))

    /// - Parameter deadline: nil is ``standard``.
    package init(until deadline: ContinuousClock.Instant?) {
        self = deadline.map { .until($0) } ?? .standard
    }

    package static func within(_ duration: Duration) -> WaitLimit { .until(.now + duration) }

    /// The same, and from now on no longer than that for everything together.
    package func capped(at duration: Duration) -> WaitLimit {
        switch self {
        case .until(let end): .until(min(end, .now + duration))
        case .perStatement(let each): .until(.now + min(each, duration))
        case .whileServerLives: .until(.now + duration)
        }
    }

    /// When a statement that starts now is given up.
    func end(from now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        switch self {
        case .until(let end): end
        case .perStatement(let each): now + each
        case .whileServerLives(let interval): now + interval
        }
    }
}
