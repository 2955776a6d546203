import TestSupport
import Testing

@testable import Egress

/// The decision without a network: what was said, in the order in which it was said, and how it ended.
@Suite("How far a transaction came")
struct SMTPProgressTests {
    private enum Event {
        case sent(String)
        case received(String)
        case bodyEnded
    }

    private static let before: [Event] = [
        .received("220 ready"), .sent("EHLO a"), .received("250-b"), .received("250 SIZE"), .sent("MAIL FROM:<a@b>"), .received("250 2.1.0 ok"),
        .sent("RCPT TO:<c@d>"), .received("250 2.1.5 ok"), .sent("DATA"), .received("354 go on"),
    ]

    private func outcome(_ events: [Event], _ ending: SMTPProgress.Ending = .failed(.connectionLost)) -> MailOutcome {
        var progress = SMTPProgress(needsUTF8: false, startsTLS: false)
        for event in events {
            switch event {
            case .sent(let command): progress.sent(Array("\(command)\r\n".utf8))
            case .received(let line): _ = progress.received(Array("\(line)\r\n".utf8))
            case .bodyEnded: progress.bodyEnded()
            }
        }
        return progress.outcome(ending)
    }

    @Test("NT-01: wherever the connection is lost before the body's end, the mail may be tried again")
    func everyCut() {
        for count in 0...Self.before.count {
            guard case .tryAgain = outcome(Array(Self.before.prefix(count))) else {
                Issue.record("after \(count) events")
                continue
            }
        }
    }

    @Test("NT-01: after the body's end silence is unknown, and what was answered counts whatever happens then")
    func afterTheBody() {
        let all = Self.before + [.bodyEnded]
        #expect(outcome(all) == .unknown(.connectionLost))
        #expect(outcome(all, .failed(.timedOut)) == .unknown(.timedOut))
        #expect(outcome(all + [.received("250 2.0.0 queued")]) == .accepted)
        #expect(outcome(all + [.received("250-2.0.0 queued")]) == .unknown(.connectionLost))
        #expect(
            outcome(all + [.received("554 5.7.1 spam"), .sent("QUIT"), .received("221 bye")])
                == .rejected(.reply(SMTPReply(code: 554, enhanced: "5.7.1"))))
        #expect(outcome(all + [.received("451 later")]) == .tryAgain(.reply(SMTPReply(code: 451, enhanced: nil))))
    }

    @Test("a line of base64 that begins like a command is none")
    func authentication() {
        let events: [Event] = [
            .received("220 ready"), .sent("EHLO a"), .received("250 AUTH LOGIN"), .sent("AUTH LOGIN"), .received("334 x"), .sent("DATAxyz="),
            .received("535 5.7.8 no"),
        ]
        guard case .tryAgain = outcome(events) else {
            Issue.record("\(outcome(events))")
            return
        }
    }

    @Test("NT-05: what counts of SMTPUTF8 is the EHLO after TLS")
    func offers() {
        func goesOn(_ lines: [String], startsTLS: Bool) -> Bool {
            var progress = SMTPProgress(needsUTF8: true, startsTLS: startsTLS)
            var goesOn = true
            for line in lines {
                if line.first?.isNumber == true {
                    goesOn = progress.received(Array("\(line)\r\n".utf8)) && goesOn
                } else {
                    progress.sent(Array("\(line)\r\n".utf8))
                }
            }
            return goesOn
        }
        #expect(goesOn(["220 a", "EHLO x", "250-a", "250 SMTPUTF8"], startsTLS: false))
        #expect(!goesOn(["220 a", "EHLO x", "250-a", "250 8BITMIME"], startsTLS: false))
        #expect(goesOn(["220 a", "EHLO x", "250 STARTTLS"], startsTLS: true))
        #expect(goesOn(["220 a", "EHLO x", "250 STARTTLS", "STARTTLS", "220 go", "EHLO x", "250 SMTPUTF8"], startsTLS: true))
        #expect(!goesOn(["220 a", "EHLO x", "250-STARTTLS", "250 SMTPUTF8", "STARTTLS", "220 go", "EHLO x", "250 a"], startsTLS: true))
        #expect(!goesOn(["220 a", "EHLO x", "502 no", "HELO x", "250 a"], startsTLS: false))
    }
}
