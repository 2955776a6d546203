package import NIOCore

/// What one server takes from its clients before it protects itself and the other clients.
///
/// Bytes and times of a request, and the number of connections, mean the same in HTTP/2, whose channel will take them from here too.
package struct ServerLimits: Sendable, Hashable {
    /// Open connections; another one is closed at once.
    package var connections: Int
    /// Descriptors of the process that this server leaves to others: the admin port, the database, callees.
    package var descriptorsLeftFree: Int

    package var targetBytes: Int
    /// One field of a head, its name included.
    package var headerFieldBytes: Int
    /// All fields of a head, the target and the trailers included.
    package var headerListBytes: Int
    package var headerFields: Int
    /// Bounds what a body in chunks of one byte costs.
    package var bodyPieces: Int

    /// From accepting a connection to the end of its first head, the TLS handshake included; later from the first byte of a head to its end.
    package var headTime: TimeAmount
    /// From the head of a request to the end of its body.
    package var bodyTime: TimeAmount
    /// How long a connection may be open between two requests.
    package var idleTime: TimeAmount
    /// How long a client may leave an answer unread once no more of it can be buffered.
    package var unreadAnswerTime: TimeAmount

    /// Requests that were sent without waiting for answers, and are answered in a row; then other connections have their turn.
    package var requestsInARow: Int

    /// What is read and thrown away once the last answer has been written.
    package var drainBytes: Int
    package var drainTime: TimeAmount
    /// After this long a server that is shutting down closes every connection, whatever is still on it.
    package var shutdownTime: TimeAmount
}

extension ServerLimits {
    /// For a service's API, which other services call.
    package static let api = ServerLimits(
        // No more than a quarter: a process that may open few must still serve.
        connections: 4_096, descriptorsLeftFree: min(128, Descriptors.maximum / 4),
        targetBytes: 8_192, headerFieldBytes: 16_384, headerListBytes: 32_768, headerFields: 64, bodyPieces: 8_192,
        headTime: .seconds(10), bodyTime: .seconds(30), idleTime: .seconds(75), unreadAnswerTime: .seconds(30),
        requestsInARow: 8, drainBytes: 65_536, drainTime: .seconds(1), shutdownTime: .seconds(20))

    /// For probes and scrapes, which are few and small; it may use the last descriptors.
    package static let admin = ServerLimits(
        connections: 64, descriptorsLeftFree: 0,
        targetBytes: 1_024, headerFieldBytes: 8_192, headerListBytes: 16_384, headerFields: 64, bodyPieces: 64,
        // Shorter than the pause between two scrapes: idle connections must not keep probes out.
        headTime: .seconds(10), bodyTime: .seconds(10), idleTime: .seconds(10), unreadAnswerTime: .seconds(10),
        requestsInARow: 8, drainBytes: 16_384, drainTime: .seconds(1), shutdownTime: .seconds(2))

    /// The same, but closing every connection well before a drain of the whole process is over.
    package func ending(within drainTimeout: Duration) -> ServerLimits {
        var limits = self
        limits.shutdownTime = min(shutdownTime, TimeAmount(drainTimeout * 4 / 5))
        return limits
    }
}
