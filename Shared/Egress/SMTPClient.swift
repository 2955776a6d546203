internal import BlockingCalls

/// Hands mails to a server; a connection that took one is kept for the next.
package struct SMTPClient: Sendable {
    package let server: SMTPServer
    private let connections = SMTPConnections()

    /// What is left of the time-out for a second try to be worth it.
    private static let leastTime = Duration.seconds(1)

    package init(_ server: SMTPServer) {
        self.server = server
    }

    /// Sends a mail once, on a thread that may block; it takes as long as the server's time-out at most, and the resolver's.
    package func send(_ mail: MailMessage) async -> MailOutcome {
        let (server, connections) = (server, connections)
        let outcome = await BlockingThread.run { Self.send(mail, to: server, connections) }
        return outcome ?? .tryAgain(.noConnection)
    }

    private static func send(_ mail: MailMessage, to server: SMTPServer, _ connections: SMTPConnections) -> MailOutcome {
        let clock = ContinuousClock()
        let end = clock.now + server.timeout
        // What the server offers is said at the beginning of a connection only.
        if !mail.to.needsUTF8, let connection = connections.take() {
            let transfer = SMTPTransfer(mail, to: server, over: connection)
            let outcome = transfer.perform(within: server.timeout)
            if outcome == .accepted { connections.keep(connection) }
            // The server has ended the connection meanwhile, or does now: that is no refusal of this mail.
            guard transfer.isOutlived, clock.now + leastTime < end else { return outcome }
        }
        guard let connection = SMTPConnection() else { return .tryAgain(.noConnection) }
        let outcome = SMTPTransfer(mail, to: server, over: connection).perform(within: end - clock.now)
        if outcome == .accepted { connections.keep(connection) }
        return outcome
    }
}
