package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres

/// Where a person uses florin from: what the request that comes from there says of itself.
package struct DeviceSighting: Sendable, Hashable {
    /// The program, as it names itself: "Firefox on Linux".
    package let app: String
    /// The network, never the whole address; nil where it is not known.
    package let place: String?

    package init(app: String, place: String?) {
        self.app = app
        self.place = place
    }
}

/// The device that a person signs in on.
package struct RecognisedDevice: Sendable, Hashable {
    package let id: UUID
    /// Whether the person has never signed in on it.
    package let isNew: Bool
    /// Whether it is new and not their first: that is worth a message.
    package let isWorthMessage: Bool
}

/// A device as its owner sees it.
package struct Device: Sendable, Hashable {
    package let id: UUID
    package let name: String
    package let sighting: DeviceSighting
    package let createdAt: Timestamp
    package let lastUsedAt: Timestamp
    package let sessionCount: Int64
}

/// The SQL of devices. Whoever asks names the user: another's device is not found.
package struct DeviceStore: Sendable {
    /// As many are listed, the latest used first.
    package static let longestList: Int64 = 100
    private static let longestName = 100

    package init() {}

    /// The user's device that holds this secret, which is made when there is none.
    ///
    /// - Throws: `PostgresError`.
    package func recognise(
        _ secret: BrowserSecret, of user: UUID, _ sighting: DeviceSighting, at now: Timestamp, _ session: PostgresSession
    ) throws -> RecognisedDevice {
        var random = SystemRandomNumberGenerator()
        let id = UUID.v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
        let name = String(String.UnicodeScalarView(sighting.app.unicodeScalars.prefix(Self.longestName)))
        let rows = try session.query(
            """
            INSERT INTO devices (id, user_id, key_hash, name, app, place, created_at, last_used_at)
            VALUES (\(id), \(user), \(secret.hash), \(name), \(sighting.app), \(sighting.place), \(now.stored), \(now.stored))
            ON CONFLICT (user_id, key_hash) WHERE removed_at IS NULL
                DO UPDATE SET app = excluded.app, place = excluded.place, last_used_at = greatest(devices.last_used_at, excluded.last_used_at)
            RETURNING id, EXISTS (SELECT FROM devices other WHERE other.user_id = \(user))
            """)
        let (found, hadOthers) = try rows[0].decode(UUID.self, Bool.self)
        return RecognisedDevice(id: found, isNew: found == id, isWorthMessage: found == id && hadOthers)
    }

    private static let columns = PostgresColumns(
        ("d.id", UUID.self), ("d.name", String.self), ("d.app", String.self), ("d.place", String?.self), ("d.created_at", PostgresTimestamp.self),
        ("d.last_used_at", PostgresTimestamp.self))

    /// The user's devices, the latest used first.
    ///
    /// - Throws: `PostgresError`.
    package func all(of user: UUID, at now: Timestamp, _ session: PostgresSession) throws -> [Device] {
        try session.query(
            """
            SELECT \(unsafeSQL: Self.columns), (SELECT count(*) FROM sessions s WHERE s.device_id = d.id AND \(unsafeSQL: SessionStore.isOpen("s"))
                AND \(unsafeSQL: SessionStore.end("s")) > \(now.stored))
            FROM devices d WHERE d.user_id = \(user) AND d.removed_at IS NULL ORDER BY d.last_used_at DESC, d.id LIMIT \(Self.longestList)
            """
        ).map { row in
            let (id, name, app, place, createdAt, lastUsedAt) = try row.decode(Self.columns)
            return Device(
                id: id, name: name, sighting: DeviceSighting(app: app, place: place), createdAt: Timestamp(createdAt),
                lastUsedAt: Timestamp(lastUsedAt), sessionCount: try row.after(Self.columns).decode(Int64.self))
        }
    }

    /// - Returns: whether the user has such a device.
    /// - Throws: `PostgresError`.
    package func rename(_ id: UUID, of user: UUID, to name: String, _ session: PostgresSession) throws -> Bool {
        try session.execute("UPDATE devices SET name = \(name) WHERE id = \(id) AND user_id = \(user) AND removed_at IS NULL") == 1
    }

    /// Forgets a device: with the same secret it would be a new one. Its sessions are ended by ``SessionStore/endAll(onDevice:of:at:traceparent:_:)``.
    ///
    /// - Returns: whether the user had such a device.
    /// - Throws: `PostgresError`.
    package func remove(_ id: UUID, of user: UUID, at now: Timestamp, _ session: PostgresSession) throws -> Bool {
        try session.execute(
            "UPDATE devices SET removed_at = \(now.stored) WHERE id = \(id) AND user_id = \(user) AND removed_at IS NULL") == 1
    }
}
