package import Contracts

/// The times of a key that signs tokens. All replicas read the same ones; none decides anything at its start.
package struct SigningKeyLife: Sendable, Hashable {
    /// From then on its public half is in the key set.
    package let publishAt: Timestamp
    /// From then on it signs, unless a newer one does.
    package let signFrom: Timestamp
    /// By then another should sign.
    package let signUntil: Timestamp
    /// From then on it is not published any more: nothing that it signed counts.
    package let retireAt: Timestamp

    package init(publishAt: Timestamp, signFrom: Timestamp, signUntil: Timestamp, retireAt: Timestamp) {
        self.publishAt = publishAt
        self.signFrom = signFrom
        self.signUntil = signUntil
        self.retireAt = retireAt
    }

    package func isPublished(at now: Timestamp) -> Bool { publishAt <= now && now < retireAt }
}

/// When keys come and go.
///
/// A key signs only once everybody who keeps the key set for as long as they may (``SigningKeySchedule/documentAge``) has it, and is
/// published for as long as anything that it signed is good, hints at logout included.
package struct SigningKeySchedule: Sendable, Hashable {
    /// How long others may keep the key set (its `max-age`).
    package static let documentAge = Duration.seconds(300)
    /// How often each replica reads the keys.
    package static let readEvery = Duration.seconds(15)
    /// How far clocks may differ.
    package static let skew = Duration.seconds(30)
    /// The least between publication and the first signature.
    package static let leastLead = documentAge + readEvery + skew

    /// How long a key signs.
    package let period: Duration
    /// How long before its turn it is published.
    package let lead: Duration
    /// How long after its turn it is still published: as long as a session lives, whose ID tokens are hints at logout.
    package let keep: Duration

    package static let standard = SigningKeySchedule(period: .seconds(30 * 86_400), lead: .seconds(86_400), keep: .seconds(90 * 86_400))

    /// - Parameter lead: At least ``leastLead``.
    package init(period: Duration, lead: Duration, keep: Duration) {
        precondition(lead >= Self.leastLead, "a key is published before it signs")
        self.period = period
        self.lead = lead
        self.keep = keep
    }

    /// The key that is to be made now; nil when none is due.
    package func due(after lives: [SigningKeyLife], at now: Timestamp) -> SigningKeyLife? {
        guard let latest = lives.filter({ $0.retireAt > now }).max(by: { $0.signFrom < $1.signFrom }) else { return immediate(at: now) }
        guard now >= latest.signUntil - lead else { return nil }
        return life(publishAt: now, signFrom: max(latest.signUntil, now + Self.leastLead))
    }

    /// A key that an operator asks for: published now, and in its turn as soon as everybody can know it.
    package func early(at now: Timestamp) -> SigningKeyLife { life(publishAt: now, signFrom: now + Self.leastLead) }

    /// A key that signs at once: the first of all, or one in an emergency, whose tokens are refused by everybody who has yet to fetch it.
    package func immediate(at now: Timestamp) -> SigningKeyLife { life(publishAt: now, signFrom: now) }

    private func life(publishAt: Timestamp, signFrom: Timestamp) -> SigningKeyLife {
        SigningKeyLife(publishAt: publishAt, signFrom: signFrom, signUntil: signFrom + period, retireAt: signFrom + period + keep)
    }

    /// Which key signs: of those whose turn has come the latest. One whose turn is over goes on where nothing has taken its place.
    package static func signing(_ lives: [SigningKeyLife], at now: Timestamp) -> Int? {
        lives.indices.filter { lives[$0].signFrom <= now && lives[$0].isPublished(at: now) }.max { lives[$0].signFrom < lives[$1].signFrom }
    }
}
