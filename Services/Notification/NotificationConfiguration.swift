import Concurrency
import Egress
import EventBroker
package import EventConsumption
import Fleet
import Observability
import Sealing
package import ServiceDatabase
package import ServiceRuntime
import WorkQueue

/// The settings of notification; `notification config` lists them.
package struct NotificationConfiguration: EventConsumingConfiguration {
    static let schema = DatabaseSchema(service: FleetService.notification.name, shared: ["consumption", "workqueue"])
    static let sealingKeys = Setting<String>.path(
        "SEALING_KEYS_FILE", "The private keys that requested messages are sealed to.", default: "/run/secrets/florin/sealing.keys.json")
    static let host = Setting<String>.host("SMTP_HOST", "Server that mails are handed to.", default: nil)
    static let port = Setting<Int>.integer("SMTP_PORT", "Its port.", in: 1...65_535, unit: "TCP port", default: 587)
    static let security = Setting<SMTPServer.Security>.choice(
        "SMTP_SECURITY", "TLS by STARTTLS, which is then required, or from the first byte, or none.", default: .startTLS
    ).refusedInProduction { $0 == .none }
    static let authorities = Setting<String>.path(
        "SMTP_CA_FILE", "Authorities (PEM) trusted for the server's certificate instead of the system's.", default: nil
    ).optional
    static let user = Setting<String>.text("SMTP_USERNAME", "Account at the server.", default: nil).optional
    static let password = Setting<Secret<String>>.secret("SMTP_PASSWORD", "Password of the account.").optional
    static let timeout = Setting<Duration>.duration(
        "SMTP_TIMEOUT", "For the whole of one mail. After the mail was sent, silence until then leaves its delivery unknown.",
        in: .seconds(1) ... .seconds(600), default: .seconds(120))
    static let sender = Setting<String>.mailAddress("MAIL_FROM", "Address that mails come from; its domain ends each Message-ID.")
    static let senderName = Setting<String>.text("MAIL_FROM_NAME", "Name that mails come from.", default: "Florin")
    static let lanes = Setting<Int>.integer("MAIL_LANES", "Mails that are sent at a time.", in: 1...64, unit: "mails", default: 4)
    static let attempts = Setting<Int>.integer(
        "MAIL_ATTEMPTS", "Attempts before a mail that the server does not take becomes a dead letter.", in: 1...100, unit: "attempts", default: 12)
    static let maximumAge = Setting<Duration>.duration(
        "MAIL_MAX_AGE", "How long after its request a mail is sent at most; one with a code has an end of its own.",
        in: .seconds(600) ... .seconds(604_800), default: .seconds(259_200))
    package static let defaultAdminPort = FleetService.notification.adminPort
    package static let declared: [any SettingDeclaration] =
        schema.declared + BrokerSettings.declared + ConsumptionSettings.declared
        + [sealingKeys, host, port, security, authorities, user, password, timeout, sender, senderName, lanes, attempts, maximumAge]

    package let database: ServiceDatabase
    package let consumption: ConsumptionSettings
    let broker: BrokerSettings
    let server: SMTPServer
    let sender: MailSender
    let lanes: Int
    let maximumAge: Duration
    let queue: WorkQueue
    private let sealingKeysFile: String

    /// Between the time-out of one mail and the end of its lease: for the resolver, the database and a busy machine.
    private static let leaseMargin = Duration.seconds(60)

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        database = Self.schema.database(values)
        consumption = ConsumptionSettings(values)
        broker = try BrokerSettings(values)
        guard let address = MailAddress(values[Self.sender]) else { throw InvalidConfiguration(key: Self.sender.key, "is no address") }
        // A mail that can't be written would be a dead letter, each of them.
        guard PlainLine.text(values[Self.senderName]) == values[Self.senderName] else {
            throw InvalidConfiguration(key: Self.senderName.key, "has a character that ends a line")
        }
        sender = MailSender(address: address, name: values[Self.senderName])
        server = SMTPServer(
            host: values[Self.host], port: values[Self.port], security: values[Self.security], authorities: values[Self.authorities],
            credentials: try Self.credentials(values), clientName: address.domain, timeout: values[Self.timeout])
        lanes = values[Self.lanes]
        maximumAge = values[Self.maximumAge]
        queue = WorkQueue(
            name: "deliveries",
            policy: WorkPolicy(
                maximumAttempts: values[Self.attempts],
                backoff: Backoff(first: .seconds(5), maximum: .seconds(900), jitter: .half), lease: values[Self.timeout] + Self.leaseMargin,
                isRepeatable: false))
        sealingKeysFile = values[Self.sealingKeys]
    }

    private static func credentials(_ values: SettingValues) throws(InvalidConfiguration) -> SMTPServer.Credentials? {
        switch (values[user], values[password]) {
        case (nil, nil): return nil
        case (let user?, let password?):
            return SMTPServer.Credentials(user: user, password: password.reveal())
        default: throw InvalidConfiguration(key: user.key, "and \(password.key) are set together or not at all")
        }
    }

    /// Reads the keys file.
    /// - Throws: ``InvalidConfiguration`` when it can't be used; it names no secret.
    func openingKeys() throws(InvalidConfiguration) -> OpeningKeys {
        do {
            return try OpeningKeys(file: sealingKeysFile)
        } catch {
            throw InvalidConfiguration(key: Self.sealingKeys.key, "can't be used: \(PlainLine.text(sealingKeysFile)): \(error)")
        }
    }
}

/// Whom mails come from.
package struct MailSender: Sendable {
    let address: MailAddress
    let name: String
}

extension Setting where Value == String {
    /// The address of a mailbox, in ASCII before the `@`.
    fileprivate static func mailAddress(_ key: String, _ summary: String) -> Self {
        Setting(
            key: key, summary: summary, expected: "an e-mail address", default: nil,
            parse: { text in MailAddress(text).map { !$0.needsUTF8 } == true ? text : nil }, render: { $0 })
    }
}
