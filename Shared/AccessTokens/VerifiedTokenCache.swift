import Synchronization

/// Tokens that have passed every check, so that the next request with one costs a look-up instead of a signature.
///
/// It belongs to one verifier and thereby to one policy. Two generations bound it: new and re-used tokens enter the younger; when that
/// is full the older is forgotten as a whole and the younger takes its place, so entering and forgetting cost the same at any size.
/// Only verified tokens enter, so a flood of bad ones pushes nothing out.
///
/// An ES256 signature (r, s) has the twin (r, n - s), and RFC 7518 lets a signer make either, so one token has two texts. Here that costs a
/// verification and an entry more; whoever revokes tokens does it by their claims (`jti`, `sid`), never by their text.
final class VerifiedTokenCache: Sendable {
    private final class Entry: Sendable {
        let text: String
        let token: AccessToken
        let key: VerificationKey

        init(text: String, token: AccessToken, key: VerificationKey) {
            self.text = text
            self.token = token
            self.key = key
        }
    }

    private struct Generations {
        var young: [Int: Entry] = [:]
        var old: [Int: Entry] = [:]

        /// Enters a token; what is returned is to be released outside the lock.
        mutating func insert(_ entry: Entry, hash: Int, capacity: Int) -> [Int: Entry] {
            var forgotten: [Int: Entry] = [:]
            if young.count >= capacity, young[hash] == nil {
                forgotten = old
                old = young
                young = Dictionary(minimumCapacity: capacity)
            }
            young[hash] = entry
            return forgotten
        }
    }

    private let generationCapacity: Int
    private let generations = Mutex(Generations())

    /// A cache of at most `capacity` tokens, rounded down to two equal generations of at least one.
    init(capacity: Int) {
        self.generationCapacity = max(1, capacity / 2)
    }

    /// How many tokens are held, those included that have expired since and not been asked for.
    var count: Int {
        generations.withLock { $0.young.count + $0.old.count }
    }

    /// The token with exactly this text, unless it has expired or its key was withdrawn.
    @inline(__always)
    func token(for text: some StringProtocol, now: Int64) -> AccessToken? {
        let hash = Self.hash(text)
        guard let entry = entry(hash), entry.text == text else { return nil }
        guard now < entry.token.expiresAt + AccessTokenPolicy.leeway, !entry.key.isWithdrawn else {
            remove(entry, hash: hash)
            return nil
        }
        return entry.token
    }

    /// Remembers a verified token together with the key that vouched for it.
    func insert(_ token: AccessToken, text: String, key: VerificationKey) {
        let hash = Self.hash(text)
        let entry = Entry(text: text, token: token, key: key)
        _ = generations.withLock { $0.insert(entry, hash: hash, capacity: generationCapacity) }
    }

    private func entry(_ hash: Int) -> Entry? {
        let (entry, _) = generations.withLock { generations -> (Entry?, [Int: Entry]) in
            if let entry = generations.young[hash] { return (entry, [:]) }
            guard let entry = generations.old.removeValue(forKey: hash) else { return (nil, [:]) }
            return (entry, generations.insert(entry, hash: hash, capacity: generationCapacity))
        }
        return entry
    }

    private func remove(_ entry: Entry, hash: Int) {
        generations.withLock { generations in
            if generations.young[hash] === entry { generations.young[hash] = nil }
            if generations.old[hash] === entry { generations.old[hash] = nil }
        }
    }

    /// One pass over the bytes, seeded per process, so that nobody can aim at a slot; the text is compared in full afterwards.
    private static func hash(_ text: some StringProtocol) -> Int {
        var hasher = Hasher()
        let hashed: Void? = text.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        if hashed == nil {
            Array(text.utf8).withUnsafeBytes { hasher.combine(bytes: $0) }
        }
        return hasher.finalize()
    }
}
