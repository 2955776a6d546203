import BlockingCalls
import Concurrency
import Crypto
import CryptoExtras
import Glibc
package import Observability

/// Hashes passwords by scrypt, a few at once (ID-16).
///
/// Each takes memory and a core for a good part of a second. So no more run than there are threads for them, a few more wait for a short
/// time, and the rest is refused. The threads yield to all others of the machine: what else the process does stays fast.
package struct PasswordHasher: Sendable {
    /// How a thread yields: `nice 10`.
    private static let niceness: Int32 = 10

    /// Of what is hashed from now on.
    package let cost: ScryptCost
    private let limit: ConcurrencyLimit
    private let patience: Duration
    /// Of the account that does not exist.
    private let noSalt: [UInt8]

    /// - Parameters:
    ///   - threads: Hashes at once.
    ///   - waiting: Callers that wait for their turn at once.
    ///   - patience: How long they do.
    package init(cost: ScryptCost, threads: Int, waiting: Int, patience: Duration) {
        self.cost = cost
        limit = ConcurrencyLimit(threads, waiting: waiting)
        self.patience = patience
        noSalt = Self.salt()
    }

    /// Hashes now, and those that wait.
    package var statistics: (underWay: Int, waiting: Int) { limit.statistics }

    /// Shows at each scrape how busy the threads are.
    package func observe(in registry: PrometheusRegistry) {
        let summary = "Passwords that are being hashed, and that wait for a thread."
        registry.observe("identity_password_hashes", .gauge, summary, labels: [("state", "under_way")]) { Double(limit.statistics.underWay) }
        registry.observe("identity_password_hashes", .gauge, summary, labels: [("state", "waiting")]) { Double(limit.statistics.waiting) }
        registry.observe("identity_password_hashes_refused_total", .counter, "Passwords that found no thread in time: answered 503.") {
            Double(limit.totalRefused)
        }
    }

    /// - Throws: ``CredentialRefusal`` `overloaded`.
    package func hash(_ password: PreparedPassword, until deadline: ContinuousClock.Instant? = nil) async throws(CredentialRefusal) -> PasswordHash {
        let salt = Self.salt()
        let key = try await derive(password, cost, salt, byteCount: PasswordHash.hashBytes, until: deadline)
        return PasswordHash(cost: cost, salt: salt, hash: key.withUnsafeBytes { Array($0) })
    }

    /// Whether the hash is of the password; nil for the hash of nobody, which takes as long and is of none.
    ///
    /// - Throws: ``CredentialRefusal`` `overloaded`.
    package func verify(
        _ password: PreparedPassword, against hash: PasswordHash?, until deadline: ContinuousClock.Instant? = nil
    ) async throws(CredentialRefusal) -> Bool {
        let byteCount = hash?.hash.count ?? PasswordHash.hashBytes
        let key = try await derive(password, hash?.cost ?? cost, hash?.salt ?? noSalt, byteCount: byteCount, until: deadline)
        // Keys compare in constant time.
        return hash.map { SymmetricKey(data: $0.hash) == key } ?? false
    }

    private func derive(
        _ password: PreparedPassword, _ cost: ScryptCost, _ salt: [UInt8], byteCount: Int, until deadline: ContinuousClock.Instant?
    ) async throws(CredentialRefusal) -> SymmetricKey {
        let end = ContinuousClock.now + patience
        let key = await limit.withPermit(until: min(deadline ?? end, end)) {
            await BlockingThread.run { Self.scrypt(password, cost, salt, byteCount: byteCount) }
        }
        // No turn, no thread, or no memory.
        guard case .some(.some(.some(let key))) = key else { throw .overloaded }
        return key
    }

    private static func scrypt(_ password: PreparedPassword, _ cost: ScryptCost, _ salt: [UInt8], byteCount: Int) -> SymmetricKey? {
        // Of this thread alone, which ends with the hash.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
        return try? KDF.Scrypt.deriveKey(
            from: Array(password.text.utf8), salt: salt, outputByteCount: byteCount, rounds: 1 << cost.logN, blockSize: cost.r, parallelism: cost.p)
    }

    private static func salt() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        return (0..<PasswordHash.saltBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }
}
