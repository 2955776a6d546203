import FoundationEssentials
import Synchronization

/// The issuer's public keys by `kid`, read from a file or fetched, and kept.
///
/// Keys once read are served while their source is down; a key that a newer document no longer holds, or holds with other content,
/// is withdrawn at once together with all tokens it vouched for. At most one reading of the source is under way at any time.
package final class JSONWebKeySet: Sendable {
    /// Where the document comes from.
    private enum Source: Sendable {
        case file(path: String)
        case fetch(@Sendable () async throws -> [UInt8])
    }

    private struct State {
        var keys: [String: VerificationKey]?
        var document: [UInt8] = []
        var attemptedAt: Int64?
        var readAt: Int64?
        var lastAttemptFailed = false
        var reading: Task<Result<Void, JSONWebKeySetError>, Never>?
    }

    /// Seconds after which a fetched set is fetched again.
    package static let refreshInterval: Int64 = 300
    /// Seconds that lie at least between two fetches, whatever asks for them: an unknown `kid`, or a source that is down.
    package static let minimumFetchInterval: Int64 = 10
    /// Seconds after which a file is looked at again.
    package static let fileCheckInterval: Int64 = 1

    private let source: Source
    private let state = Mutex(State())

    /// Keys from a file, which is read again when it changes; nothing is read yet.
    package init(file path: String) {
        self.source = .file(path: path)
    }

    /// Whether a file holds a key set that can be used, looked at once and not kept.
    ///
    /// - Throws: why it can't be used.
    package static func inspect(file path: String) throws(JSONWebKeySetError) {
        guard let data = FileManager.default.contents(atPath: path) else { throw .sourceFailed(reason: "\(path) can't be read") }
        _ = try JSONWebKeyDocument(Array(data))
    }

    /// Keys from somewhere else; `fetch` must end within a time-out of its own and bound what it reads. Nothing is fetched yet.
    package init(fetch: @escaping @Sendable () async throws -> [UInt8]) {
        self.source = .fetch(fetch)
    }

    /// Whether a key set has been read at least once, for readiness.
    package var isLoaded: Bool {
        state.withLock { $0.keys != nil }
    }

    /// Whether the last attempt to read the source failed and older keys, if any, are being served.
    package var isStale: Bool {
        state.withLock(\.lastAttemptFailed)
    }

    /// Reads the source now (`now` in Unix seconds), or joins a reading that is under way.
    /// - Throws: why the source gave no set; the keys of before stay in force.
    package func refresh(now: Int64) async throws(JSONWebKeySetError) {
        try await startReading(now: now).value.get()
    }

    /// Keeps the set fresh until the task is cancelled; without it the set is refreshed by the requests that need it.
    /// - Parameters:
    ///   - now: the wall clock, in Unix seconds.
    ///   - onFailure: told of each attempt that failed; attempts that fail are repeated after the minimum interval.
    package func run(
        clock: any Clock<Duration> = ContinuousClock(), now: @Sendable () -> Int64,
        onFailure: @Sendable (JSONWebKeySetError) -> Void = { _ in }
    ) async {
        while !Task.isCancelled {
            var pause = interval
            do {
                try await refresh(now: now())
            } catch {
                pause = minimumInterval
                onFailure(error)
            }
            // Only cancellation ends a sleep early, and the loop's condition sees it.
            try? await clock.sleep(for: .seconds(pause))
        }
    }

    /// The key with this `kid`; an unknown one has the source read once, if the last reading is long enough ago.
    func key(for id: String, now: Int64) async throws(TokenRejection) -> VerificationKey {
        if isDue(now: now) {
            let reading = startReading(now: now)
            switch source {
            case .file: _ = await reading.value
            // Nobody whose key is known waits for a slow issuer.
            case .fetch: break
            }
        }
        if let key = key(id) { return key }
        if let reading = readingForUnknownKey(now: now) { _ = await reading.value }
        if let key = key(id) { return key }
        // While the source is down the key may well exist: that is no verdict about the token.
        throw state.withLock { $0.keys == nil || $0.lastAttemptFailed } ? .keysUnavailable : .invalid(.unknownKey)
    }

    private var interval: Int64 {
        switch source {
        case .file: Self.fileCheckInterval
        case .fetch: Self.refreshInterval
        }
    }

    private var minimumInterval: Int64 {
        switch source {
        case .file: Self.fileCheckInterval
        case .fetch: Self.minimumFetchInterval
        }
    }

    private func key(_ id: String) -> VerificationKey? {
        state.withLock { $0.keys?[id] }
    }

    private func isDue(now: Int64) -> Bool {
        state.withLock { state in
            mayRead(state, now: now) && (state.keys == nil || Self.elapsed(since: state.readAt, now: now, atLeast: interval))
        }
    }

    private func mayRead(_ state: borrowing State, now: Int64) -> Bool {
        Self.elapsed(since: state.attemptedAt, now: now, atLeast: minimumInterval)
    }

    /// A clock that was set back must not stop the readings, so the distance counts in both directions.
    private static func elapsed(since time: Int64?, now: Int64, atLeast interval: Int64) -> Bool {
        guard let time else { return true }
        return (now - time).magnitude >= interval.magnitude
    }
}

extension JSONWebKeySet {
    private typealias Reading = Task<Result<Void, JSONWebKeySetError>, Never>

    private func readingForUnknownKey(now: Int64) -> Reading? {
        state.withLock { state in
            if let reading = state.reading { return reading }
            return mayRead(state, now: now) ? begin(&state, now: now) : nil
        }
    }

    private func startReading(now: Int64) -> Reading {
        state.withLock { state in
            state.reading ?? begin(&state, now: now)
        }
    }

    /// A task of its own, because several requests share one reading and none of them may cancel it for the others.
    private func begin(_ state: inout State, now: Int64) -> Reading {
        let reading = Reading { await self.read(now: now) }
        state.attemptedAt = now
        state.reading = reading
        return reading
    }

    private func read(now: Int64) async -> Result<Void, JSONWebKeySetError> {
        do throws(JSONWebKeySetError) {
            let document = try await bytes()
            if state.withLock({ $0.keys != nil && $0.document == document }) {
                finish(now: now, failed: false)
                return .success(())
            }
            install(try await keys(of: document), document: document)
            finish(now: now, failed: false)
            return .success(())
        } catch {
            finish(now: now, failed: true)
            return .failure(error)
        }
    }

    private func bytes() async throws(JSONWebKeySetError) -> [UInt8] {
        switch source {
        case .file(let path):
            guard let data = FileManager.default.contents(atPath: path) else { throw .sourceFailed(reason: "\(path) can't be read") }
            return Array(data)
        case .fetch(let fetch):
            do { return try await fetch() } catch { throw .sourceFailed(reason: "\(error)") }
        }
    }

    /// The keys of a document; those that are held already are the same objects, so that cached tokens keep their standing.
    private func keys(of document: [UInt8]) async throws(JSONWebKeySetError) -> [String: VerificationKey] {
        var keys: [String: VerificationKey] = [:]
        for (id, point) in try JSONWebKeyDocument(document).points {
            if let held = key(id), held.point == point {
                keys[id] = held
            } else {
                // A point that is not on the curve is one more key that cannot be used.
                keys[id] = try? await VerificationKey(id: id, point: point)
            }
        }
        guard !keys.isEmpty else { throw .noUsableKey }
        return keys
    }

    private func install(_ keys: [String: VerificationKey], document: [UInt8]) {
        let replaced = state.withLock { state in
            defer {
                state.keys = keys
                state.document = document
            }
            return state.keys ?? [:]
        }
        for (id, key) in replaced where keys[id] !== key {
            key.withdraw()
        }
    }

    private func finish(now: Int64, failed: Bool) {
        state.withLock { state in
            state.reading = nil
            state.lastAttemptFailed = failed
            if !failed { state.readAt = now }
        }
    }
}
