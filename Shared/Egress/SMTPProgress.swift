/// How far a transaction has come, by what was sent and received; and from that what became of the mail. It does nothing itself.
struct SMTPProgress {
    /// What the client last did.
    private enum Step {
        case connected, hello, startTLS, authentication, sender, recipient, data
        /// The body was handed over to its end; the last dot may be on its way.
        case body
    }

    /// What ended the transfer, when it was no reply.
    enum Ending {
        case completed
        case failed(MailReason)
    }

    private let needsUTF8: Bool
    private let startsTLS: Bool
    private var step = Step.connected
    private var hasStartedTLS = false
    /// The last whole reply to the current step.
    private var reply: SMTPReply?
    private var offersUTF8 = false
    /// MAIL was answered with yes.
    private(set) var isAnnounced = false
    private var isAddressUnsupported = false
    private var isOver = false

    init(needsUTF8: Bool, startsTLS: Bool) {
        self.needsUTF8 = needsUTF8
        self.startsTLS = startsTLS
    }

    /// A command was sent; what is not one belongs to the authentication.
    mutating func sent(_ command: some Collection<UInt8>) {
        let verb = command.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }
        let name = String(decoding: verb, as: UTF8.self).uppercased()
        // Neither the goodbye after a refusal nor its answer undoes it.
        guard name != "QUIT" else {
            isOver = true
            return
        }
        reply = nil
        switch name {
        case "EHLO", "HELO":
            step = .hello
            offersUTF8 = false
        case "STARTTLS":
            step = .startTLS
            hasStartedTLS = true
        case "MAIL": step = .sender
        case "RCPT": step = .recipient
        case "DATA": step = .data
        default: step = .authentication
        }
    }

    /// The body was handed over to its end.
    mutating func bodyEnded() {
        step = .body
        reply = nil
    }

    /// A line of a reply came.
    ///
    /// - Returns: false when the transaction is to be broken off, before the mail is even announced.
    mutating func received(_ line: some Collection<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        guard !isOver, let code = Int(text.prefix(3)), (200...599).contains(code) else { return true }
        let isLast = text.dropFirst(3).first != "-"
        let words = text.dropFirst(4).split(whereSeparator: \.isWhitespace)
        if step == .hello, code == 250, words.first?.uppercased() == "SMTPUTF8" { offersUTF8 = true }
        guard isLast else { return true }
        reply = SMTPReply(code: code, enhanced: words.first.flatMap(Self.enhancedCode))
        if step == .sender, code < 300 { isAnnounced = true }
        // Before TLS a server need not say what it offers.
        let isReady = step == .hello && code == 250 && (hasStartedTLS || !startsTLS)
        guard isReady, needsUTF8, !offersUTF8 else { return true }
        isAddressUnsupported = true
        return false
    }

    private static func enhancedCode(_ word: Substring) -> String? {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else {
            return nil
        }
        return String(word)
    }

    func outcome(_ ending: Ending) -> MailOutcome {
        if isAddressUnsupported { return .rejected(.addressUnsupported) }
        switch (step, reply?.code) {
        // What was answered counts, whatever happened to the connection afterwards.
        case (.body, (200...299)?): return .accepted
        case (.body, (500...599)?), (.recipient, (500...599)?), (.data, (500...599)?): return .rejected(reason(ending))
        case (.body, nil): return .unknown(reason(ending))
        default: return .tryAgain(reason(ending))
        }
    }

    private func reason(_ ending: Ending) -> MailReason {
        switch (ending, reply) {
        case (.failed(.credentialsRefused), _): return .credentialsRefused
        case (_, let reply?) where reply.code >= 400: return .reply(reply)
        case (.failed(let reason), _): return reason
        case (.completed, let reply): return reply.map(MailReason.reply) ?? .connectionLost
        }
    }
}
