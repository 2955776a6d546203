import Contracts

extension WireType {
    /// Those of where people are signed in, and of the sign-in of first-party apps.
    static let sessions: [WireType] = [
        WireType("Session", values: session("203.0.113.0/24"), session(nil)), WireType("Device", values: device("203.0.113.0/24"), device(nil)),
        WireType("SessionPage", values: PageBody(items: [session(nil)], nextCursor: "c"), PageBody(items: [], nextCursor: nil)),
        WireType("DevicePage", values: PageBody(items: [device(nil)], nextCursor: "c"), PageBody(items: [], nextCursor: nil)),
        WireType("RenameDeviceRequest", values: RenameDeviceRequest(name: "Küche")),
        WireType("ChallengeCode", values: AuthorizationCodeBody(code: "c")),
        WireType(
            "ChallengeError", values: ChallengeErrorBody(error: "insufficient_authorization", errorDescription: "d", authSession: "a"),
            ChallengeErrorBody(error: "invalid_session", errorDescription: "d", authSession: nil)),
    ]

    private static func session(_ place: String?) -> SessionBody {
        SessionBody(
            id: Samples.sessionID, deviceID: Samples.deviceID, deviceName: "Laptop", app: "Firefox on Linux", place: place, isCurrent: true,
            isMultiFactor: false, createdAt: Samples.time, lastUsedAt: Samples.time, expiresAt: Samples.time)
    }

    private static func device(_ place: String?) -> DeviceBody {
        DeviceBody(
            id: Samples.deviceID, name: "Laptop", app: "Firefox on Linux", place: place, isCurrent: false, sessionCount: 2,
            createdAt: Samples.time, lastUsedAt: Samples.time)
    }
}
