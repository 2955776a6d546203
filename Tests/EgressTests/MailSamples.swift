import Egress
import Testing

enum MailSamples {
    static func mail(
        to address: String = "anna@example.org", subject: String = "Your code", text: String = "Hello\n", html: String = "<p>Hello</p>\n",
        fromName: String = "Florin"
    ) throws -> MailMessage {
        try MailMessage(
            id: "msg_1", from: #require(MailAddress("noreply@florin.example")), fromName: fromName, to: #require(MailAddress(address)),
            subject: subject, text: text, html: html, language: "en", date: 1_763_700_000)
    }

    static func client(
        _ port: Int, _ security: SMTPServer.Security = .none, host: String = "127.0.0.1", authorities: String? = nil,
        credentials: SMTPServer.Credentials? = nil, timeout: Duration = .seconds(60)
    ) -> SMTPClient {
        SMTPClient(
            SMTPServer(
                host: host, port: port, security: security, authorities: authorities, credentials: credentials, clientName: "florin.example",
                timeout: timeout))
    }
}
