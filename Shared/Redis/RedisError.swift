/// Why a command has no reply. Its description is safe to log: no password, key or value is in it.
package enum RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The URL can't be used; the text says why and quotes nothing of it.
    case invalidConfiguration(String)
    /// No connection is open at the moment; the client is trying.
    case notConnected
    /// No connection came about.
    case connectFailed(String)
    /// The server did not accept user and password, or wants them.
    case refused(String)
    /// As many commands are under way as may be, or as fit.
    case tooManyInFlight
    case commandTooLarge
    /// No reply in time. The command may have been carried out.
    case timedOut
    /// The caller was cancelled. The command may have been carried out.
    case cancelled
    /// The connection ended first. The command may have been carried out.
    case connectionLost
    /// The server sent what is no reply; the connection was closed.
    case malformedReply(RESPFault)
    /// The server answered with an error.
    case server(RedisServerError)
    /// The reply is none that this command can have.
    case unexpectedReply

    package var description: String {
        switch self {
        case .invalidConfiguration(let reason): "the Redis URL \(reason)"
        case .notConnected: "not connected"
        case .connectFailed(let reason): "cannot connect: \(reason)"
        case .refused(let reason): "the server refuses the connection: \(reason)"
        case .tooManyInFlight: "too many commands in flight"
        case .commandTooLarge: "the command is too large"
        case .timedOut: "no reply in time"
        case .cancelled: "cancelled"
        case .connectionLost: "the connection was lost"
        case .malformedReply(let fault): "malformed reply (\(fault.rawValue))"
        case .server(let error): "the server answered \(error.code)"
        case .unexpectedReply: "unexpected reply"
        }
    }

    /// The label of the failure in metrics: one of few.
    package var label: String {
        switch self {
        case .invalidConfiguration: "invalid_configuration"
        case .notConnected: "not_connected"
        case .connectFailed: "connect_failed"
        case .refused: "refused"
        case .tooManyInFlight: "too_many_in_flight"
        case .commandTooLarge: "command_too_large"
        case .timedOut: "timed_out"
        case .cancelled: "cancelled"
        case .connectionLost: "connection_lost"
        case .malformedReply: "malformed_reply"
        case .server: "server"
        case .unexpectedReply: "unexpected_reply"
        }
    }

    /// Whether the server has no room and may evict nothing.
    package var isOutOfMemory: Bool {
        guard case .server(let error) = self else { return false }
        return error.code == "OOM"
    }
}
