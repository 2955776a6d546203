package import RequestSigning
import ServiceIdentity
import ServiceRuntime

/// Replaces the secrets of pairs of services in three stages, between any two of which every request is accepted.
///
/// What stage a pair has reached is written nowhere but in the keys files themselves: the callee's file lists a caller's old key before
/// its new one, and the caller's file names the key it signs with. When a stage was reached is the key's `not_before`, which is always
/// ``SigningKeyGenerator/backdatingSeconds`` earlier: for `add` that of the new inbound key, for `switch` that of the outbound key.
/// A stage changes only callees' files or only callers', each by one rename, so that a run that was killed in between leaves every pair
/// before or after the stage, and the same stage again does the rest.
package struct KeyRotation: Sendable {
    package enum Stage: String, Sendable, CaseIterable {
        /// Every callee accepts a second key.
        case add
        /// Every caller signs with it.
        case `switch`
        /// Every callee forgets the first.
        case drop
    }

    /// How far a pair has come.
    package enum Progress: String, Sendable {
        /// One key: before the first stage, or after the last.
        case single
        case added
        case switched
    }

    /// Why nothing was changed; safe to show.
    package enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        /// The folder holds no key of the pair, or of no pair at all.
        case noPair(SigningKeyGenerator.Pair?)
        /// The two files of a pair do not belong together.
        case broken(SigningKeyGenerator.Pair, String)
        /// The pair is not where the stage begins.
        case outOfOrder(SigningKeyGenerator.Pair, Progress, asked: Stage)
        /// The stage before was so short a time ago that some process may not know of it.
        case tooEarly(Stage, seconds: Int64)
        /// The keys of a service would break a rule.
        case unusable(service: String, SigningKeysError)

        package var description: String {
            switch self {
            case .noPair(let pair): pair.map { "there is no key of \($0)" } ?? "there are no keys"
            case .broken(let pair, let reason): "\(pair): \(reason)"
            case .outOfOrder(let pair, let progress, let asked):
                "\(pair) has \(progress.words): --stage \(asked.rawValue) is out of order, --stage \(progress.next.rawValue) comes first"
            case .tooEarly(let stage, let seconds):
                "--stage \(stage.rawValue) is safe in \(seconds) s, when every process knows of the stage before; wait, or say --force"
            case .unusable(let service, let error): "\(service): \(error)"
            }
        }
    }

    /// A pair as it is after the stage.
    package struct PairReport: Sendable, Equatable {
        package let pair: SigningKeyGenerator.Pair
        package let changed: Bool
        package let progress: Progress
        /// The id of the key that the caller signs with.
        package let signingKeyID: String
        /// The ids of the keys that the callee accepts, the old one first.
        package let acceptedKeyIDs: [String]
    }

    package struct Plan: Sendable {
        /// In the order of their names.
        package let pairs: [PairReport]
        /// The files to replace, in the order of their services' names.
        package let files: [SigningKeys]
        /// The stage that comes next, and the first second since the Unix epoch in which it is safe; nil when all is done.
        package let next: (stage: Stage, from: Int64)?
    }

    /// The shortest time that a process is given to notice a replaced file, 2 s: once more than it takes between two looks.
    package static let minimumPropagationSeconds = 2 * SigningKeyReloader.interval.components.seconds
    /// After the last request was signed with a key, for so long a callee might accept one: its lifetime, the caller's clock ahead of the
    /// callee's by the skew, and the skew again that the callee grants.
    package static let lastRequestSeconds = SignatureProfile.maximumLifetimeSeconds + 2 * SignatureProfile.clockSkewSeconds

    private let stage: Stage
    private let only: SigningKeyGenerator.Pair?
    private let propagationSeconds: Int64
    private let now: Int64
    private let force: Bool

    /// - Parameters:
    ///   - only: The one pair to rotate; nil for all.
    ///   - propagationSeconds: How long until every process has read a file that was replaced in the folder.
    ///   - now: Seconds since the Unix epoch.
    ///   - force: Whether to go on though the bound after the stage before has not passed.
    package init(stage: Stage, only: SigningKeyGenerator.Pair?, propagationSeconds: Int64, now: Int64, force: Bool) {
        self.stage = stage
        self.only = only
        self.propagationSeconds = max(propagationSeconds, Self.minimumPropagationSeconds)
        self.now = now
        self.force = force
    }

    /// What to write, judged for all pairs before anything is.
    ///
    /// - Parameters:
    ///   - files: The folder's files by service.
    ///   - generator: Must be cryptographically secure.
    package func plan(_ files: [String: SigningKeys], using generator: inout some RandomNumberGenerator) throws(Refusal) -> Plan {
        let pairs = only.map { [$0] } ?? Self.pairs(of: files)
        guard !pairs.isEmpty else { throw .noPair(nil) }
        var begins: [PairKeys] = []
        for pair in pairs {
            let keys = try PairKeys(pair, in: files)
            switch (stage, keys.progress) {
            case (.add, .single), (.switch, .added), (.drop, .switched): begins.append(keys)
            case (.add, .added), (.switch, .switched), (.drop, .single): break
            case (.add, .switched), (.switch, .single), (.drop, .added): throw .outOfOrder(pair, keys.progress, asked: stage)
            }
        }
        let wait = begins.map { safeFrom($0) - now }.max() ?? 0
        guard wait <= 0 || force else { throw .tooEarly(stage, seconds: wait) }

        var changed: [String: SigningKeys] = [:]
        for keys in begins {
            let service = stage == .switch ? keys.pair.caller : keys.pair.callee
            guard let file = changed[service] ?? files[service] else { continue }
            changed[service] = try apply(to: file, keys, using: &generator)
        }
        let after = files.merging(changed) { _, new in new }
        let moved = Set(begins.map(\.pair))
        var reports: [PairReport] = []
        var next: (stage: Stage, from: Int64)?
        for pair in pairs {
            let keys = try PairKeys(pair, in: after)
            reports.append(keys.report(changed: moved.contains(pair)))
            if keys.progress != .single { next = (keys.progress.next, max(next?.from ?? 0, safeFrom(keys))) }
        }
        return Plan(pairs: reports, files: changed.values.sorted { $0.service < $1.service }, next: next)
    }

    /// From when on the stage after the one that the pair has reached is safe.
    private func safeFrom(_ keys: PairKeys) -> Int64 {
        switch keys.progress {
        case .single: now
        case .added: keys.addedAt + propagationSeconds
        case .switched: keys.switchedAt + propagationSeconds + Self.lastRequestSeconds
        }
    }

    private func apply(
        to file: SigningKeys, _ keys: PairKeys, using generator: inout some RandomNumberGenerator
    ) throws(Refusal) -> SigningKeys {
        var (outbound, inbound) = (file.outbound, file.inbound)
        let pair = keys.pair
        switch stage {
        case .add:
            let new = SigningKeyGenerator.key(for: pair, now: now, using: &generator)
            let last = inbound.lastIndex { $0.caller == pair.caller } ?? inbound.endIndex - 1
            inbound.insert(.init(caller: pair.caller, key: new), at: last + 1)
        case .switch:
            // Backdated, so that a caller whose clock is behind has a key at once.
            let key = SigningKey(
                keyID: keys.newest.keyID, secret: keys.newest.secret, notBefore: now - SigningKeyGenerator.backdatingSeconds,
                notAfter: keys.newest.notAfter)
            outbound = outbound.map { $0.callee == pair.callee ? .init(callee: pair.callee, key: key) : $0 }
        case .drop:
            inbound.removeAll { $0.caller == pair.caller && $0.key.keyID != keys.signing.keyID }
        }
        do {
            return try SigningKeys(service: file.service, outbound: outbound, inbound: inbound)
        } catch {
            throw .unusable(service: file.service, error)
        }
    }

    /// Every pair that a file names from either side.
    private static func pairs(of files: [String: SigningKeys]) -> [SigningKeyGenerator.Pair] {
        var pairs: Set<SigningKeyGenerator.Pair> = []
        for (service, keys) in files {
            pairs.formUnion(keys.outbound.map { .init(caller: service, callee: $0.callee) })
            pairs.formUnion(keys.inbound.map { .init(caller: $0.caller, callee: service) })
        }
        return pairs.sorted()
    }
}

extension KeyRotation.Progress {
    var next: KeyRotation.Stage {
        switch self {
        case .single: .add
        case .added: .switch
        case .switched: .drop
        }
    }

    fileprivate var words: String {
        switch self {
        case .single: "one key"
        case .added: "a second key that its caller does not sign with yet"
        case .switched: "an old key that its callee still accepts"
        }
    }
}

/// The keys of one pair, as the files of both sides have them.
private struct PairKeys {
    let pair: SigningKeyGenerator.Pair
    /// The key that the caller signs with, as its own file has it.
    let signing: SigningKey
    /// The keys that the callee accepts, the old one first; `signing` is among them.
    let accepted: [SigningKey]

    init(_ pair: SigningKeyGenerator.Pair, in files: [String: SigningKeys]) throws(KeyRotation.Refusal) {
        let outbound = files[pair.caller]?.outbound.first { $0.callee == pair.callee }?.key
        let accepted = (files[pair.callee]?.inbound ?? []).filter { $0.caller == pair.caller }.map(\.key)
        guard outbound != nil || !accepted.isEmpty else { throw .noPair(pair) }
        for service in [pair.caller, pair.callee] where files[service] == nil { throw .broken(pair, "the keys file of \(service) is missing") }
        guard let signing = outbound else { throw .broken(pair, "the callee accepts a key that the caller does not have") }
        guard accepted.contains(where: { $0.keyID == signing.keyID && $0.secret == signing.secret }) else {
            throw .broken(pair, "the caller signs with a key that the callee does not accept")
        }
        self.pair = pair
        self.signing = signing
        self.accepted = accepted
    }

    var newest: SigningKey { accepted[accepted.count - 1] }

    var progress: KeyRotation.Progress {
        accepted.count == 1 ? .single : signing.keyID == newest.keyID ? .switched : .added
    }

    var addedAt: Int64 { newest.notBefore + SigningKeyGenerator.backdatingSeconds }
    var switchedAt: Int64 { signing.notBefore + SigningKeyGenerator.backdatingSeconds }

    func report(changed: Bool) -> KeyRotation.PairReport {
        .init(pair: pair, changed: changed, progress: progress, signingKeyID: signing.keyID, acceptedKeyIDs: accepted.map(\.keyID))
    }
}
