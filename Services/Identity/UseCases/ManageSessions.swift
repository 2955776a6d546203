package import Contracts
package import FoundationEssentials
package import Postgres

/// The session in which a person asks about their sessions.
package struct SessionOwner: Sendable, Hashable {
    package let user: UUID
    package let session: UUID
    package let traceparent: String?

    package init(user: UUID, session: UUID, traceparent: String? = nil) {
        self.user = user
        self.session = session
        self.traceparent = traceparent
    }
}

/// Why a person is refused a look at their sessions, or a change of them.
package enum SessionRefusal: Error, Sendable, Hashable {
    /// The session that asks has ended; its access token is good for some minutes more.
    case signedOut
    case notFound
}

/// What a person sees and ends of where they are signed in.
package struct ManageSessions: Sendable {
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let sessions = SessionStore()
    private let devices = DeviceStore()

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.now = now
    }

    /// - Throws: ``SessionRefusal``, `PostgresError`.
    package func list(for owner: SessionOwner, until deadline: ContinuousClock.Instant?) async throws -> [SessionBody] {
        try await asking(owner, deadline, isChange: false) { session, _, now in
            try sessions.listed(of: owner.user, at: now, session).map { listed in
                let live = listed.session
                return SessionBody(
                    id: SessionID(live.id), deviceID: DeviceID(live.device), deviceName: listed.deviceName, app: listed.sighting.app,
                    place: listed.sighting.place, isCurrent: live.id == owner.session, isMultiFactor: live.authentication.isMultiFactor,
                    createdAt: live.createdAt, lastUsedAt: live.lastUsedAt, expiresAt: live.expiresAt)
            }
        }
    }

    /// - Throws: ``SessionRefusal``, `PostgresError`.
    package func listDevices(for owner: SessionOwner, until deadline: ContinuousClock.Instant?) async throws -> [DeviceBody] {
        try await asking(owner, deadline, isChange: false) { session, asking, now in
            try devices.all(of: owner.user, at: now, session).map { Self.body($0, asking) }
        }
    }

    /// Ends one, which may be the one that asks.
    ///
    /// - Throws: ``SessionRefusal``, `PostgresError`.
    package func end(_ id: SessionID, for owner: SessionOwner, until deadline: ContinuousClock.Instant?) async throws {
        try await asking(owner, deadline) { session, _, now in
            let ended = try sessions.end(
                id.uuid, of: owner.user, reason: .endedByUser, at: now, traceparent: owner.traceparent, session)
            guard ended != nil else { throw SessionRefusal.notFound }
        }
    }

    /// Ends all but the one that asks, and whatever is about to become one: the credential generation rises.
    ///
    /// - Throws: ``SessionRefusal``, `PostgresError`.
    package func endOthers(for owner: SessionOwner, until deadline: ContinuousClock.Instant?) async throws {
        try await asking(owner, deadline) { session, _, now in
            let generation = try users.raiseGeneration(of: owner.user, at: now, session)
            try sessions.keep(owner.session, of: owner.user, generation: generation, session)
            try sessions.endAll(
                of: owner.user, except: owner.session, reason: .endedByUser, at: now, traceparent: owner.traceparent, session)
        }
    }

    /// - Throws: ``SessionRefusal``, `PostgresError`.
    package func rename(
        _ id: DeviceID, to name: String, for owner: SessionOwner, until deadline: ContinuousClock.Instant?
    ) async throws -> DeviceBody {
        try await asking(owner, deadline) { session, asking, now in
            guard try devices.rename(id.uuid, of: owner.user, to: name, session),
                let device = try devices.all(of: owner.user, at: now, session).first(where: { $0.id == id.uuid })
            else { throw SessionRefusal.notFound }
            return Self.body(device, asking)
        }
    }

    /// Forgets a device and ends the sessions on it.
    ///
    /// - Throws: ``SessionRefusal``, `PostgresError`.
    package func remove(_ id: DeviceID, for owner: SessionOwner, until deadline: ContinuousClock.Instant?) async throws {
        try await asking(owner, deadline) { session, _, now in
            guard try devices.remove(id.uuid, of: owner.user, at: now, session) else { throw SessionRefusal.notFound }
            try sessions.endAll(
                onDevice: id.uuid, of: owner.user, reason: .endedByUser, at: now, traceparent: owner.traceparent, session)
        }
    }

    private func asking<Value: Sendable>(
        _ owner: SessionOwner, _ deadline: ContinuousClock.Instant?, isChange: Bool = true,
        _ body: @Sendable (PostgresSession, LiveSession, Timestamp) throws -> Value
    ) async throws -> Value {
        let now = now()
        return try await pool.withTransaction(within: WaitLimit(until: deadline)) { session in
            if isChange { try sessions.lockOwner(owner.user, session) }
            guard let asking = try sessions.find(owner.session, of: owner.user, at: now, session) else { throw SessionRefusal.signedOut }
            return try body(session, asking, now)
        }
    }

    private static func body(_ device: Device, _ asking: LiveSession) -> DeviceBody {
        DeviceBody(
            id: DeviceID(device.id), name: device.name, app: device.sighting.app, place: device.sighting.place,
            isCurrent: device.id == asking.device, sessionCount: device.sessionCount, createdAt: device.createdAt, lastUsedAt: device.lastUsedAt)
    }
}
