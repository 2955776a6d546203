import Contracts
import FoundationEssentials
import Postgres

/// Tells a person by mail that somebody has signed in as them on a device that was never seen: if it was not them, they end it.
struct TellOfNewDevice: Sendable {
    private let messages: RequestMessage
    private let users = UserStore()

    init(_ messages: RequestMessage) {
        self.messages = messages
    }

    /// - Throws: `PostgresError`; ``SealingFault``.
    func callAsFunction(
        _ device: RecognisedDevice, _ sighting: DeviceSighting, of user: UUID, at now: Timestamp, traceparent: String?, _ session: PostgresSession
    ) throws {
        // Whoever signs in for the first time knows where they do.
        guard device.isWorthMessage, let account = try users.find(user, session), let email = account.email else { return }
        let message = RequestedMessage(
            .newDevice, user: user, locale: account.locale,
            content: MessageContent(
                address: email, name: account.name, details: MessageDetails(device: sighting.app, place: sighting.place, at: now)))
        try messages.append(message, at: now, traceparent: traceparent, session)
    }
}
