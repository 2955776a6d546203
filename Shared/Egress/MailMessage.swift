/// A mail to one person, and the bytes that are sent: CRLF only, short lines, ASCII.
package struct MailMessage: Sendable {
    package let to: MailAddress
    package let from: MailAddress
    /// Header and body, without SMTP's last dot. A recipient's local part may be UTF-8, nothing else is.
    let bytes: [UInt8]

    /// - Parameters:
    ///   - id: Unique, and the same when the mail is sent again: what the `Message-ID` begins with. Letters, digits, `_` and `-`.
    ///   - fromName: The sender's display name.
    ///   - language: Of the texts, a BCP 47 tag.
    ///   - date: Seconds since the Unix epoch.
    /// - Throws: ``MailFault`` when a text of the header could end its line.
    package init(
        id: String, from: MailAddress, fromName: String, to: MailAddress, subject: String, text: String, html: String, language: String,
        date: Int64
    ) throws(MailFault) {
        guard !id.isEmpty, id.utf8.allSatisfy(Self.isIDByte), language.utf8.allSatisfy(Self.isIDByte), !from.needsUTF8, date >= 0 else {
            throw .lineBreak
        }
        self.to = to
        self.from = from
        // No encoded line has "=_" in it, so the boundary is in no part.
        let boundary = "=_\(id)"
        let head = [
            "From: \(try HeaderText.displayName(fromName))\r\n <\(from.text)>", "To: <\(to.text)>", "Subject: \(try HeaderText.encoded(subject))",
            "Date: \(MailDate.text(date))", "Message-ID: <\(id)@\(from.domain)>",
            // RFC 3834: automatic repliers do not answer this.
            "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Language: \(language)",
            "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
        ]
        bytes =
            Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8)
            + Self.part("text/plain", text, boundary) + Self.part("text/html", html, boundary) + Array("--\(boundary)--\r\n".utf8)
    }

    private static func part(_ type: String, _ text: String, _ boundary: String) -> [UInt8] {
        let head = "--\(boundary)\r\nContent-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        // The line break before the next boundary is the boundary's.
        return Array(head.utf8) + QuotedPrintable.encode(text) + Array("\r\n".utf8)
    }

    private static func isIDByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Why a mail is not written.
package enum MailFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// A text of the header has a line break or another control character.
    case lineBreak

    package var description: String { "a text of the header has a control character" }
}
