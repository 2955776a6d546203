import Contracts
import Egress
import Sealing

/// Opens a delivery's text and writes the mail: the one place where an address or a code is in the clear.
struct MailComposer: Sendable {
    let keys: OpeningKeys
    let templates: MessageTemplates
    let sender: MailSender

    /// Why there is no mail. It says nothing of the text.
    enum Failure: Error, Sendable, Hashable {
        /// It may be written once the keys file has the key.
        case keyMissing
        /// It never will.
        case unreadable(String)
        case addressInvalid
    }

    func mail(for delivery: Delivery, at now: Timestamp) throws(Failure) -> MailMessage {
        guard let sealed = delivery.sealed else { throw .unreadable("its text was erased") }
        let content = try content(of: sealed, boundTo: delivery.eventID)
        guard let address = MailAddress(content.address) else { throw .addressInvalid }
        guard content.link.map({ $0.hasPrefix("https://") || $0.hasPrefix("http://") }) ?? true else { throw .unreadable("its link is no address") }
        let text = templates.render(delivery, content)
        do {
            return try MailMessage(
                id: delivery.id.description, from: sender.address, fromName: sender.name, to: address, subject: text.subject, text: text.text,
                html: text.html, language: delivery.language.rawValue, date: now.microsecondsSinceUnixEpoch / 1_000_000)
        } catch {
            throw .unreadable("\(error)")
        }
    }

    private func content(of sealed: SealedText, boundTo event: EventID) throws(Failure) -> MessageContent {
        let bytes: [UInt8]
        do throws(OpeningFailure) {
            bytes = try keys.open(sealed, boundTo: event)
        } catch {
            switch error {
            case .unknownKey: throw .keyMissing
            case .doesNotOpen: throw .unreadable("\(error)")
            }
        }
        do throws(RequestFault) {
            return try MessageContent(bytes: bytes)
        } catch {
            throw .unreadable("its text is wrong at \(error.errors.first?.pointer ?? "/")")
        }
    }
}
