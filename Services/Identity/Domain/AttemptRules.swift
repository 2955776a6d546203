package import Contracts

/// What is guessed at; each kind has counters of its own.
package enum AttemptKind: String, Sendable, CaseIterable {
    case password
    case otp
    case recoveryCode = "recovery_code"
    case mailedCode = "mailed_code"
    /// The look-up of a person by their address.
    case resolve
}

/// Where failures are counted.
package enum AttemptBucket: String, Sendable, CaseIterable {
    /// A device that the account knows.
    case device
    /// The account, from all devices that it does not know.
    case account
    /// The network that an unknown device is in.
    case network
}

/// Where an attempt comes from.
package struct AttemptOrigin: Sendable, Hashable {
    /// SHA-256 of the secret that the device keeps, if it brought one.
    package let deviceHash: [UInt8]?
    /// A prefix, /24 or /64.
    package let network: String

    package init(deviceHash: [UInt8]?, network: String) {
        self.deviceHash = deviceHash
        self.network = network
    }

    /// Where failures are counted. From a device that the account knows nothing else counts, so that nobody else can lock it out.
    package static func buckets(isKnownDevice: Bool) -> [AttemptBucket] { isKnownDevice ? [.device] : [.account, .network] }
}

/// The failures of one bucket.
package struct AttemptCount: Sendable, Hashable {
    package let failures: Int
    package let lastFailedAt: Timestamp
    /// Until then nothing is tried.
    package let blockedUntil: Timestamp

    package init(failures: Int, lastFailedAt: Timestamp, blockedUntil: Timestamp) {
        self.failures = failures
        self.lastFailedAt = lastFailedAt
        self.blockedUntil = blockedUntil
    }

    /// One that was never closed is open to a replica whose clock is behind, too.
    func isClosed(at now: Timestamp) -> Bool { blockedUntil > lastFailedAt && blockedUntil > now }
}

/// How many failures a bucket takes, and how long it stays closed after more (NIST SP 800-63B-4, section 3.2.2).
///
/// An attempt counts as a failure before it is made, so that many at once are as many; a success takes it back.
package struct AttemptRules: Sendable {
    /// Failures that cost nothing but themselves.
    let allowance: Int
    /// After the first that is too many; doubled with each that follows.
    private static let firstDelay = Duration.seconds(30)
    private static let longestDelay = Duration.seconds(900)
    /// In a row, for one account; what comes then is left to recovery.
    package static let mostInARow = 100
    private static let closedFor = Duration.seconds(30 * 86_400)
    /// After so long without a failure, few are forgotten.
    private static let memoryOfFew = Duration.seconds(86_400)
    /// And many.
    private static let memoryOfMany = Duration.seconds(30 * 86_400)
    /// Of a network, which many people may share, one failure is forgotten in each.
    private static let leak = Duration.seconds(60)

    let bucket: AttemptBucket

    init(_ bucket: AttemptBucket) {
        self.bucket = bucket
        allowance = bucket == .network ? 100 : 5
    }

    /// The bucket with one more failure, or nil while it is closed.
    func counting(_ count: AttemptCount, at now: Timestamp) -> AttemptCount? {
        guard !count.isClosed(at: now) else { return nil }
        return self.count(remembered(count, at: now) + 1, lastFailedAt: max(now, count.lastFailedAt))
    }

    /// The bucket after an attempt that was right; nil when nothing is left to count.
    func succeeding(_ count: AttemptCount) -> AttemptCount? {
        // Who owns one account must not wipe out a network's failures at others.
        bucket == .network ? withdrawing(count) : nil
    }

    /// The bucket without an attempt that was not made. It is open, as it was when the attempt was let in.
    func withdrawing(_ count: AttemptCount) -> AttemptCount? {
        guard count.failures > 1 else { return nil }
        return AttemptCount(failures: count.failures - 1, lastFailedAt: count.lastFailedAt, blockedUntil: count.lastFailedAt)
    }

    private func count(_ failures: Int, lastFailedAt: Timestamp) -> AttemptCount {
        AttemptCount(failures: failures, lastFailedAt: lastFailedAt, blockedUntil: lastFailedAt + delay(after: failures))
    }

    func delay(after failures: Int) -> Duration {
        guard failures >= allowance else { return .zero }
        if bucket != .network, failures >= Self.mostInARow { return Self.closedFor }
        let doublings = min(failures - allowance, 30)
        return min(Self.firstDelay * (1 << doublings), Self.longestDelay)
    }

    private func remembered(_ count: AttemptCount, at now: Timestamp) -> Int {
        let quiet = max(.zero, now.since(count.lastFailedAt))
        if bucket == .network { return max(0, count.failures - Int(quiet / Self.leak)) }
        return quiet < (count.failures < allowance ? Self.memoryOfFew : Self.memoryOfMany) ? count.failures : 0
    }

    /// Before these times a last failure is forgotten, so its row can go: of any bucket, and of one with few failures.
    static func forgotten(at now: Timestamp) -> (any: Timestamp, few: Timestamp) { (now - memoryOfMany, now - memoryOfFew) }
}
