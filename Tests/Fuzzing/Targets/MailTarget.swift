import Foundation

@testable import Egress

/// What a mail server answers, and the mails that are written for it.
enum MailTarget {
    private static let separator = UInt8(ascii: "\n")

    /// A transaction, a line per step after one that says which: `>` is sent, `<` comes, `.` ends the body. Only a body that was handed over
    /// to its end, with nothing sent after it, is ever accepted or in doubt; what a reason says is digits of the server's and words of ours.
    static func runTransaction(_ bytes: [UInt8]) throws(BrokenProperty) {
        let lines = bytes.split(separator: separator, maxSplits: 256, omittingEmptySubsequences: false)
        var progress = SMTPProgress(needsUTF8: lines[0].first == UInt8(ascii: "8"), startsTLS: lines[0].last == UInt8(ascii: "t"))
        var (isBodyOver, isClosed) = (false, false)
        for line in lines.dropFirst() {
            let before = outcomes(progress)
            let text = line.dropFirst()
            switch line.first {
            case UInt8(ascii: ">"):
                progress.sent(text)
                if isQuit(text) { isClosed = true } else if !isClosed { isBodyOver = false }
            case UInt8(ascii: "<"): _ = progress.received(text)
            case UInt8(ascii: "."):
                progress.bodyEnded()
                isBodyOver = true
            default: continue
            }
            // libcurl sends nothing after the goodbye; what a server still says then changes nothing.
            if isClosed, line.first == UInt8(ascii: "<") {
                try BrokenProperty.unless(outcomes(progress) == before, "a reply to the goodbye changes the outcome")
            }
        }
        for outcome in outcomes(progress) { try check(outcome, isBodyOver) }
    }

    private static func outcomes(_ progress: SMTPProgress) -> [MailOutcome] {
        [progress.outcome(.completed), progress.outcome(.failed(.timedOut)), progress.outcome(.failed(.connectionLost))]
    }

    private static func isQuit(_ command: ArraySlice<UInt8>) -> Bool {
        String(decoding: command.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }, as: UTF8.self).uppercased() == "QUIT"
    }

    private static func check(_ outcome: MailOutcome, _ isBodyOver: Bool) throws(BrokenProperty) {
        switch outcome {
        case .accepted: try BrokenProperty.unless(isBodyOver, "accepted without a body")
        case .unknown(let reason):
            try BrokenProperty.unless(isBodyOver, "in doubt without a body")
            try check(reason)
        case .rejected(let reason), .tryAgain(let reason): try check(reason)
        }
    }

    private static func check(_ reason: MailReason) throws(BrokenProperty) {
        guard case .reply(let reply) = reason else { return }
        let digits = "\(reply)".utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ") }
        try BrokenProperty.unless(digits && "\(reply)".utf8.count <= 15, "a server's words: \(reply)")
    }

    /// A mail whose subject, sender's name, text and HTML are the input's parts between bytes of 255: ASCII in short lines, no header that is
    /// not ours, no line that begins with SMTP's dot, and both come out as they went in.
    static func runMessage(_ bytes: [UInt8]) throws(BrokenProperty) {
        let parts = bytes.split(separator: 0xFF, maxSplits: 3, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        let (subject, name) = (parts[0], parts.count > 1 ? parts[1] : "")
        let (text, html) = (parts.count > 2 ? parts[2] : "", parts.count > 3 ? parts[3] : "")
        guard let address = MailAddress("anna@example.org"),
            let mail = try? MailMessage(
                id: "msg_1", from: address, fromName: name, to: address, subject: subject, text: text, html: html, language: "en",
                date: 1_790_000_000)
        else { return }
        let lines = String(decoding: mail.bytes, as: UTF8.self).components(separatedBy: "\r\n")
        for line in lines {
            let isShort = line.utf8.count <= 78 && line.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 }
            try BrokenProperty.unless(isShort && !line.hasPrefix("."), "a line that a server may change: \(line)")
        }
        let head = Array(lines.prefix { !$0.isEmpty })
        try checkHead(head, subject)
        let body = lines.dropFirst(head.count + 1).split(separator: "--=_msg_1", omittingEmptySubsequences: false)
        try BrokenProperty.unless(body.count == 3, "another number of parts")
        for (part, sent) in zip(body.dropFirst(), [text, html]) {
            let encoded = part.drop { !$0.isEmpty }.dropFirst()
            // The last line's end belongs to the boundary, or to the mail.
            let received = decoded(encoded.prefix { $0 != "--=_msg_1--" }.dropLast().map { $0 })
            try BrokenProperty.unless(received == unified(sent), "another text than was written")
        }
    }

    private static func checkHead(_ lines: [String], _ subject: String) throws(BrokenProperty) {
        let names = lines.filter { !$0.hasPrefix(" ") }.map { $0.prefix { $0 != ":" } }
        let ours: [Substring] = [
            "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Language", "Content-Type",
        ]
        try BrokenProperty.unless(names == ours, "another header: \(names)")
        guard let start = lines.firstIndex(where: { $0.hasPrefix("Subject: ") }) else { return }
        let words = [lines[start].dropFirst("Subject: ".count)] + lines[(start + 1)...].prefix { $0.hasPrefix(" ") }.map { $0.dropFirst() }
        guard words[0].hasPrefix("=?UTF-8?B?") else {
            return try BrokenProperty.unless(words.count == 1 && words[0].utf8.elementsEqual(subject.utf8), "another subject")
        }
        let read = words.flatMap { word in [UInt8](Data(base64Encoded: String(word.dropFirst(10).dropLast(2))) ?? Data()) }
        try BrokenProperty.unless(read == Array(subject.utf8), "another subject when it is decoded")
    }

    /// RFC 2045, section 6.7, each line with its end.
    private static func decoded(_ lines: [String]) -> [UInt8] {
        var decoded: [UInt8] = []
        for line in lines {
            var rest = Array(line.utf8)[...]
            var isSoft = false
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "=") else {
                    decoded.append(byte)
                    continue
                }
                isSoft = rest.isEmpty
                if let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) { decoded.append(code) }
                rest = rest.dropFirst(2)
            }
            if !isSoft { decoded.append(separator) }
        }
        return decoded
    }

    /// With one kind of line end, and one at its end.
    private static func unified(_ text: String) -> [UInt8] {
        var lines: [UInt8] = []
        for (index, byte) in text.utf8.enumerated() {
            let isAfterReturn = index > 0 && Array(text.utf8)[index - 1] == UInt8(ascii: "\r")
            if byte == UInt8(ascii: "\r") { lines.append(separator) } else if byte != separator || !isAfterReturn { lines.append(byte) }
        }
        if let last = lines.last, last != separator { lines.append(separator) }
        return lines
    }
}
