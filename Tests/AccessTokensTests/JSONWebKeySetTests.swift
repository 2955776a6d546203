import AccessTokens
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct JSONWebKeySetTests {
    private let forge = TokenForge()
    private let now = TokenForge.now

    private func verifier(_ keys: JSONWebKeySet) -> AccessTokenVerifier {
        AccessTokenVerifier(policy: TokenForge.policy, keys: keys, cacheCapacity: 16)
    }

    private func tokenOfUnknownKey(_ number: Int = 0) throws -> String {
        try forge.token(header: TokenForge.header.merging(["kid": "unknown-\(number)"]) { $1 })
    }

    @Test func `an unknown kid has the set fetched once per interval, however many ask`() async throws {
        let source = KeySource(try forge.keySet)
        let verifier = verifier(source.keys())
        let interval = JSONWebKeySet.minimumFetchInterval
        _ = try await verifier.verify(forge.token(), now: now)
        #expect(source.fetches == 1)
        for (time, fetches) in [(now + interval - 1, 1), (now + interval, 2), (now + 2 * interval - 1, 2), (now + 2 * interval, 3)] {
            await withTaskGroup { group in
                for number in 0..<50 {
                    group.addTask {
                        await #expect(throws: TokenRejection.invalid(.unknownKey)) {
                            try await verifier.verify(tokenOfUnknownKey(number), now: time)
                        }
                    }
                }
            }
            #expect(source.fetches == fetches)
        }
    }

    @Test func `a new key is found by the fetch that its first token causes`() async throws {
        var next = TokenForge()
        next.keyID = "forge-2"
        let source = KeySource(try forge.keySet)
        let verifier = verifier(source.keys())
        _ = try await verifier.verify(forge.token(), now: now)
        source.serve(try TokenForge.keySet([forge.jsonWebKey, next.jsonWebKey]))
        let text = try next.token(header: TokenForge.header.merging(["kid": "forge-2"]) { $1 })
        _ = try await verifier.verify(text, now: now + JSONWebKeySet.minimumFetchInterval)
        #expect(source.fetches == 2)
    }

    @Test func `many first requests share one fetch`() async throws {
        let source = KeySource(try forge.keySet)
        let verifier = verifier(source.keys())
        let text = try forge.token()
        try await withThrowingTaskGroup { group in
            for _ in 0..<50 { group.addTask { _ = try await verifier.verify(text, now: now) } }
            try await group.waitForAll()
        }
        #expect(source.fetches == 1)
    }

    @Test func `old keys are served while the source is down, and an unknown kid is no verdict`() async throws {
        let source = KeySource(try forge.keySet)
        let keys = source.keys()
        let verifier = verifier(keys)
        try await keys.refresh(now: now)
        #expect(keys.isLoaded)
        source.serve(nil)
        await #expect(throws: KeySource.failure) { try await keys.refresh(now: now + 100) }
        #expect(keys.isStale)
        let later = now + 3_600
        let claims = TokenForge.userClaims.merging(["iat": later, "exp": later + 300]) { $1 }
        _ = try await verifier.verify(forge.token(claims: claims), now: later)
        await #expect(throws: TokenRejection.keysUnavailable) { try await verifier.verify(tokenOfUnknownKey(), now: later + 60) }
        source.serve(try forge.keySet)
        try await keys.refresh(now: later + 70)
        #expect(!keys.isStale)
        await #expect(throws: TokenRejection.invalid(.unknownKey)) { try await verifier.verify(tokenOfUnknownKey(), now: later + 70) }
    }

    @Test func `without any key set every token is undecided, and the source is not hammered`() async throws {
        let source = KeySource(nil)
        let verifier = verifier(source.keys())
        for _ in 0..<20 {
            await #expect(throws: TokenRejection.keysUnavailable) { try await verifier.verify(forge.token(), now: now) }
        }
        #expect(source.fetches == 1)
        source.serve(try forge.keySet)
        _ = try await verifier.verify(forge.token(), now: now + JSONWebKeySet.minimumFetchInterval)
    }

    @Test func `a fetched set is fetched again by use when it is old`() async throws {
        let source = KeySource(try forge.keySet)
        let keys = source.keys()
        let verifier = verifier(keys)
        _ = try await verifier.verify(forge.token(), now: now)
        _ = try await verifier.verify(forge.token(), now: now + JSONWebKeySet.refreshInterval - 1)
        #expect(source.fetches == 1)
        _ = try await verifier.verify(forge.token(), now: now + JSONWebKeySet.refreshInterval)
        // The request didn't wait for the fetch it caused; asking for a refresh joins it, or comes after it.
        try await keys.refresh(now: now + JSONWebKeySet.refreshInterval)
        #expect((2...3).contains(source.fetches))
    }

    @Test func `a file is read again when it has changed, and kept when it has gone or is broken`() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/jwks.json"
            let verifier = verifier(JSONWebKeySet(file: path))
            await #expect(throws: TokenRejection.keysUnavailable) { try await verifier.verify(forge.token(), now: now) }

            try Data(forge.keySet).write(to: URL(fileURLWithPath: path))
            _ = try await verifier.verify(forge.token(), now: now + 1)
            try Data("{".utf8).write(to: URL(fileURLWithPath: path))
            _ = try await verifier.verify(forge.token(), now: now + 2)
            try FileManager.default.removeItem(atPath: path)
            _ = try await verifier.verify(forge.token(), now: now + 3)

            var next = TokenForge()
            next.keyID = "forge-2"
            try Data(next.keySet).write(to: URL(fileURLWithPath: path))
            let text = try next.token(header: TokenForge.header.merging(["kid": "forge-2"]) { $1 })
            _ = try await verifier.verify(text, now: now + 4)
            await #expect(throws: TokenRejection.invalid(.unknownKey)) { try await verifier.verify(forge.token(), now: now + 4) }
        }
    }

    @Test func `running keeps the set fresh, sooner after a failure, until cancelled`() async throws {
        let source = KeySource(nil)
        let keys = source.keys()
        let document = try forge.keySet
        let clock = ScriptedClock(sleeps: 3) { if $0 == 2 { source.serve(document) } }
        let failures = Failures()
        await withTaskGroup { group in
            group.addTask {
                await keys.run(clock: clock, now: { TokenForge.now }) { error in
                    failures.add(error)
                }
            }
            await clock.finished()
            group.cancelAll()
        }
        #expect(clock.durations == [.seconds(10), .seconds(10), .seconds(300)])
        #expect(failures.all == [KeySource.failure, KeySource.failure])
        #expect(keys.isLoaded)
    }

    @Test func `keys of other types and uses are passed over`() async throws {
        let key = forge.jsonWebKey
        let others: [[String: any Sendable]] = [
            ["kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"], ["kty": "oct", "kid": "oct", "k": "AAAA"], ["kty": "EC", "kid": 7],
            key.merging(["kid": "encryption", "use": "enc"]) { $1 }, key.merging(["kid": "other-algorithm", "alg": "ES384"]) { $1 },
            key.merging(["kid": "other-curve", "crv": "P-384"]) { $1 }, key.merging(["kid": "sign", "key_ops": ["sign"]]) { $1 },
            key.merging(["kid": "off-curve", "x": key["y"] ?? ""]) { $1 }, key.merging(["kid": "short", "x": "AAAA"]) { $1 },
        ]
        let document = try TokenForge.keySet(others + [key.merging(["use": "sig", "alg": "ES256", "unknown": 1]) { $1 }])
        let verifier = verifier(JSONWebKeySet { document })
        _ = try await verifier.verify(forge.token(), now: now)
        for id in ["rsa", "oct", "encryption", "other-algorithm", "other-curve", "sign", "off-curve", "short"] {
            let text = try forge.token(header: TokenForge.header.merging(["kid": id]) { $1 })
            await #expect(throws: TokenRejection.invalid(.unknownKey)) { try await verifier.verify(text, now: now) }
        }
        let useless = try TokenForge.keySet(others)
        await #expect(throws: JSONWebKeySetError.noUsableKey) { try await JSONWebKeySet { useless }.refresh(now: now) }
    }

    @Test(arguments: [
        ("", JSONWebKeySetError.malformed), ("[]", .malformed), ("{}", .malformed), (#"{"keys":{}}"#, .malformed),
        (#"{"keys":[]}"#, .noUsableKey), (#"{"keys":[1,null,"x"]}"#, .noUsableKey),
        (#"{"keys":[],"pad":""# + String(repeating: "x", count: 300_000) + #""}"#, .tooLarge),
    ])
    func `a document that is no key set is an error`(document: String, expected: JSONWebKeySetError) async {
        let keys = JSONWebKeySet { Array(document.utf8) }
        await #expect(throws: expected) { try await keys.refresh(now: now) }
        #expect(!keys.isLoaded)
    }

    @Test func `two keys with one kid are an error`() async throws {
        let document = try TokenForge.keySet([forge.jsonWebKey, TokenForge().jsonWebKey])
        await #expect(throws: JSONWebKeySetError.ambiguousKeyID) { try await JSONWebKeySet { document }.refresh(now: now) }
    }
}

private final class Failures: Sendable {
    private let errors = Mutex<[JSONWebKeySetError]>([])

    var all: [JSONWebKeySetError] { errors.withLock { $0 } }

    func add(_ error: JSONWebKeySetError) {
        errors.withLock { $0.append(error) }
    }
}

/// A clock whose sleeps end at once and are recorded, up to a number; the one after that lasts until cancellation.
private final class ScriptedClock: Clock {
    typealias Instant = ContinuousClock.Instant
    let now = ContinuousClock.now
    let minimumResolution = Duration.zero
    private let sleeps: Int
    private let beforeSleep: @Sendable (Int) -> Void
    private let recorded = Mutex<[Duration]>([])
    private let end = AsyncStream<Void>.makeStream()

    init(sleeps: Int, beforeSleep: @escaping @Sendable (Int) -> Void) {
        self.sleeps = sleeps
        self.beforeSleep = beforeSleep
    }

    var durations: [Duration] { recorded.withLock { $0 } }

    func finished() async {
        for await _ in end.stream {}
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let count = recorded.withLock { recorded in
            recorded.append(now.duration(to: deadline))
            return recorded.count
        }
        beforeSleep(count)
        guard count == sleeps else { return }
        end.continuation.finish()
        await untilCancelled()
        throw CancellationError()
    }
}
