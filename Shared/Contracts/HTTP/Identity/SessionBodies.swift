package import StrictJSON

/// An item of `GET /v1/me/sessions`: where a person is signed in.
package struct SessionBody: WireBody {
    package let id: SessionID
    package let deviceID: DeviceID
    /// As its owner named it.
    package let deviceName: String
    /// The program, as it named itself: "Firefox on Linux".
    package let app: String
    /// The network that it was last seen in, never a whole address; nil where that is not known.
    package let place: String?
    /// Whether it is the one that asks.
    package let isCurrent: Bool
    package let isMultiFactor: Bool
    package let createdAt: Timestamp
    package let lastUsedAt: Timestamp
    /// When it ends if it is not used.
    package let expiresAt: Timestamp

    package init(
        id: SessionID, deviceID: DeviceID, deviceName: String, app: String, place: String?, isCurrent: Bool, isMultiFactor: Bool,
        createdAt: Timestamp, lastUsedAt: Timestamp, expiresAt: Timestamp
    ) {
        self.id = id
        self.deviceID = deviceID
        self.deviceName = deviceName
        self.app = app
        self.place = place
        self.isCurrent = isCurrent
        self.isMultiFactor = isMultiFactor
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        deviceID = try object.identifier("device_id")
        deviceName = try object.string("device_name", length: recordedTextLength)
        app = try object.string("app", length: recordedTextLength)
        place = try object.optionalString("place", length: recordedTextLength)
        isCurrent = try object.bool("current")
        isMultiFactor = try object.bool("multi_factor")
        createdAt = try object.time("created_at")
        lastUsedAt = try object.time("last_used_at")
        expiresAt = try object.time("expires_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("device_id", deviceID.description)
            writer.member("device_name", deviceName)
            writer.member("app", app)
            if let place { writer.member("place", place) }
            writer.member("current", isCurrent)
            writer.member("multi_factor", isMultiFactor)
            writer.member("created_at", createdAt.description)
            writer.member("last_used_at", lastUsedAt.description)
            writer.member("expires_at", expiresAt.description)
        }
    }
}

/// An item of `GET /v1/me/devices`.
package struct DeviceBody: WireBody {
    package let id: DeviceID
    package let name: String
    package let app: String
    package let place: String?
    /// Whether it is the one that asks.
    package let isCurrent: Bool
    /// How many sessions live on it.
    package let sessionCount: Int64
    package let createdAt: Timestamp
    package let lastUsedAt: Timestamp

    package init(
        id: DeviceID, name: String, app: String, place: String?, isCurrent: Bool, sessionCount: Int64, createdAt: Timestamp,
        lastUsedAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.app = app
        self.place = place
        self.isCurrent = isCurrent
        self.sessionCount = sessionCount
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        id = try object.identifier("id")
        name = try object.string("name", length: recordedTextLength)
        app = try object.string("app", length: recordedTextLength)
        place = try object.optionalString("place", length: recordedTextLength)
        isCurrent = try object.bool("current")
        sessionCount = try object.integer("sessions", in: 0...Int64.max)
        createdAt = try object.time("created_at")
        lastUsedAt = try object.time("last_used_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id.description)
            writer.member("name", name)
            writer.member("app", app)
            if let place { writer.member("place", place) }
            writer.member("current", isCurrent)
            writer.member("sessions", sessionCount)
            writer.member("created_at", createdAt.description)
            writer.member("last_used_at", lastUsedAt.description)
        }
    }
}

/// `PATCH /v1/me/devices/{id}`.
package struct RenameDeviceRequest: WireRequest {
    /// 1 to 100 characters.
    private static let nameLength = 1...100

    package let name: String

    package init(name: String) {
        self.name = name
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        name = try object.string("name", length: Self.nameLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in writer.member("name", name) }
    }
}
