package import Concurrency

/// Bounds of a client.
package struct RedisOptions: Sendable {
    /// How long a command waits for its reply.
    package var commandTimeout: Duration
    /// How long a connection may take to open, TLS and log-in included.
    package var connectTimeout: Duration
    /// Commands that are sent and not answered, those whose callers gave up included; one more is refused at once.
    package var maximumInFlight: Int
    /// A connection whose oldest command is unanswered for so long is taken for dead and replaced.
    package var silenceLimit: Duration
    /// The wait before the first reconnect is at most this, and at most doubles with each failure.
    package var firstBackoff: Duration
    package var maximumBackoff: Duration

    package init(
        commandTimeout: Duration = .milliseconds(100), connectTimeout: Duration = .seconds(1), maximumInFlight: Int = 4_096,
        silenceLimit: Duration = .seconds(3), firstBackoff: Duration = .milliseconds(50), maximumBackoff: Duration = .seconds(2)
    ) {
        self.commandTimeout = commandTimeout
        self.connectTimeout = connectTimeout
        self.maximumInFlight = maximumInFlight
        self.silenceLimit = silenceLimit
        self.firstBackoff = firstBackoff
        self.maximumBackoff = maximumBackoff
    }

    /// The pause after a number of failed attempts to connect.
    package var backoff: Backoff { Backoff(first: firstBackoff, maximum: maximumBackoff) }
}
