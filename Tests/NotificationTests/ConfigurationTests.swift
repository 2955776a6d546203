import Contracts
import Egress
import ServiceRuntime
import TestSupport
import Testing
import WorkQueue

@testable import Notification

@Suite("Settings of notification")
struct ConfigurationTests {
    private static let good = [
        "FLORIN_ENVIRONMENT": "local", "NOTIFICATION_DATABASE_URL": "postgres://u@h/d", "RABBITMQ_URL": "amqp://u:p@h:5672",
        "SMTP_HOST": "mail.example.org", "MAIL_FROM": "noreply@florin.example",
    ]

    private func load(_ changes: [String: String] = [:]) throws -> NotificationConfiguration {
        try NotificationConfiguration.load(environment: Self.good.merging(changes) { $1 }).service
    }

    @Test("the defaults: STARTTLS, a lease that outlasts a mail's time-out, and work that is never repeated blindly")
    func defaults() throws {
        let settings = try load()
        #expect(settings.queue.name == "deliveries" && !settings.queue.policy.isRepeatable)
        #expect(settings.queue.policy.lease > settings.server.timeout)
        #expect(settings.lanes == 4 && settings.maximumAge == .seconds(259_200))
        #expect(settings.sender.address.domain == "florin.example" && settings.sender.name == "Florin")
        #expect(NotificationConfiguration.defaultAdminPort == 9_105)
    }

    @Test("the lease follows the time-out, up to the longest")
    func lease() throws {
        #expect(try load(["SMTP_TIMEOUT": "600s"]).queue.policy.lease == .seconds(660))
    }

    @Test(
        "what can't be used is refused by its name, with what is wrong",
        arguments: [
            ("SMTP_HOST", "", "is missing"), ("SMTP_SECURITY", "ssl", "starttls or tls or none"), ("MAIL_FROM", "nobody", "an e-mail address"),
            ("MAIL_FROM", "jörg@florin.example", "an e-mail address"), ("SMTP_USERNAME", "florin", "are set together"),
            ("SMTP_PASSWORD", "hunter2", "are set together"), ("SMTP_TIMEOUT", "11m", "a duration from 1s to 10m"),
            ("MAIL_FROM_NAME", "Florin\u{2028}Bcc", "ends a line"), ("MAIL_LANES", "0", "a whole number from 1 to 64"),
            ("SMTP_PORT", "0", "a whole number from 1"),
        ])
    func refused(key: String, value: String, part: String) {
        let error = #expect(throws: InvalidConfiguration.self) { _ = try load([key: value]) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(part) && !text.contains("hunter2"), "\(text)")
    }

    @Test("production sends nothing in plain text")
    func production() {
        let error = #expect(throws: InvalidConfiguration.self) { _ = try load(["FLORIN_ENVIRONMENT": "production", "SMTP_SECURITY": "none"]) }
        #expect(error.map { "\($0)".contains("SMTP_SECURITY=none is refused in production") } == true)
    }

    @Test("nothing of a value that may hold a secret is quoted or listed")
    func secrecy() {
        #expect(SettingSecrecy.leaks(of: NotificationConfiguration.self, Self.good) == [])
    }
}
