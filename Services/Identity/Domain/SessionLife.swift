package import Contracts

/// How long a session lives: at most, and without being used. Both are fixed when it starts.
///
/// The longest are those of an app, which keeps its secret in the telephone's own store; a browser's are those of NIST SP 800-63B-4 for its
/// second level, and those of staff are shorter, since more can be done with them.
package struct SessionLife: Sendable, Hashable {
    package let atMostSeconds: Int64
    package let unusedSeconds: Int64

    package static let app = SessionLife(atMostSeconds: 90 * 86_400, unusedSeconds: 14 * 86_400)
    package static let browser = SessionLife(atMostSeconds: 86_400, unusedSeconds: 3_600)
    package static let staff = SessionLife(atMostSeconds: 12 * 3_600, unusedSeconds: 15 * 60)

    /// That of staff is the shortest in any program.
    static func of(isStaff: Bool, isApp: Bool) -> SessionLife { isStaff ? staff : isApp ? app : browser }

    /// How long an access token of it lives at most, clocks that differ included: for so long its end must be remembered.
    package static let tokenSeconds: Int64 = 300 + 10

    /// Its use is noted at most as often: a session that is used all the time costs no write per request.
    package static let notedEverySeconds: Int64 = 60
}

extension Timestamp {
    package func adding(seconds: Int64) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: microsecondsSinceUnixEpoch + seconds * 1_000_000)
    }
}
