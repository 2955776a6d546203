internal import BlockingCalls

/// Hands mails to a server, each over a connection of its own.
package struct SMTPClient: Sendable {
    package let server: SMTPServer

    package init(_ server: SMTPServer) {
        self.server = server
    }

    /// Sends a mail once, on a thread that may block; it takes as long as the server's time-out at most, and the resolver's.
    package func send(_ mail: MailMessage) async -> MailOutcome {
        let server = server
        let outcome = await BlockingThread.run { SMTPTransfer(mail, to: server).perform() }
        return outcome ?? .tryAgain(.noConnection)
    }
}
