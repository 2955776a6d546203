import Foundation
import Glibc
import Synchronization

/// A real SMTP server on a port of its own that answers each command as its script says; plain text, each client on a thread of its own.
package final class ScriptedSMTPServer: Sendable {
    package enum Action: Sendable {
        case reply(String)
        /// Keeps the connection open and says nothing.
        case silence
        case close
    }

    /// What is answered to each verb, or to one whole command; others get what a friendly server says.
    package struct Script: Sendable {
        package var greeting = Action.reply("220 scripted ESMTP")
        package var replies: [String: Action] = [:]
        /// To the dot that ends a mail, which is stored before.
        package var end = Action.reply("250 2.0.0 queued")
        /// Mails of one connection; the MAIL after that gets `beyond`.
        package var mails = Int.max
        package var beyond = Action.close
        /// Whether the server closes right after the last of them.
        package var closesAfterLast = false

        package init() {}

        fileprivate static let friendly: [String: String] = [
            "EHLO": "250-scripted\r\n250 8BITMIME", "HELO": "250 scripted", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go on",
            "QUIT": "221 bye", "AUTH": "235 2.7.0 welcome",
        ]
    }

    private let listener: LoopbackListener
    private let script: Script
    private let seen = Mutex<(commands: [String], mails: [[UInt8]], clients: Int)>(([], [], 0))

    package init(_ script: Script = Script()) throws {
        listener = try LoopbackListener()
        self.script = script
        let (listener, serve) = (listener, { @Sendable [weak self] descriptor in self?.serve(descriptor) })
        Thread.detachNewThread {
            while let client = listener.accept() {
                Thread.detachNewThread {
                    serve(client)
                    close(client)
                }
            }
        }
    }

    deinit { listener.stop() }

    package var port: Int { listener.port }
    package var commands: [String] { seen.withLock { $0.commands } }
    /// The mails as they came, without the last dot.
    package var mails: [[UInt8]] { seen.withLock { $0.mails } }
    package var clients: Int { seen.withLock { $0.clients } }

    private func serve(_ client: Int32) {
        seen.withLock { $0.clients += 1 }
        var buffer: [UInt8] = []
        var taken = 0
        guard perform(script.greeting, client) else { return }
        while let line = readLine(client, &buffer) {
            let command = String(decoding: line, as: UTF8.self)
            seen.withLock { $0.commands.append(command) }
            let verb = String(command.prefix(while: { $0 != " " })).uppercased()
            if command == "AUTH PLAIN" {
                guard perform(.reply("334 "), client), let response = readLine(client, &buffer) else { return }
                seen.withLock { $0.commands.append(String(decoding: response, as: UTF8.self)) }
            }
            if verb == "MAIL", taken >= script.mails {
                guard perform(script.beyond, client) else { return }
                continue
            }
            let action = script.replies[command] ?? script.replies[verb] ?? .reply(Script.friendly[verb] ?? "500 5.5.1 what?")
            guard perform(action, client), verb != "QUIT" else { return }
            guard verb == "DATA", case .reply(let text) = action, text.hasPrefix("354") else { continue }
            guard let mail = readMail(client, &buffer) else { return }
            seen.withLock { $0.mails.append(mail) }
            taken += 1
            guard perform(script.end, client), taken < script.mails || !script.closesAfterLast else { return }
        }
    }

    /// - Returns: Whether the conversation goes on.
    private func perform(_ action: Action, _ client: Int32) -> Bool {
        switch action {
        case .reply(let text):
            let bytes = Array("\(text)\r\n".utf8)
            return bytes.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } == bytes.count
        case .silence:
            // Until the client gives up.
            var waste = [UInt8](repeating: 0, count: 1_024)
            while recv(client, &waste, waste.count, 0) > 0 {}
            return false
        case .close: return false
        }
    }

    private func readLine(_ client: Int32, _ buffer: inout [UInt8]) -> [UInt8]? {
        take(until: Array("\r\n".utf8), client, &buffer)
    }

    private func readMail(_ client: Int32, _ buffer: inout [UInt8]) -> [UInt8]? {
        take(until: Array("\r\n.\r\n".utf8), client, &buffer).map { $0 + Array("\r\n".utf8) }
    }

    private func take(until end: [UInt8], _ client: Int32, _ buffer: inout [UInt8]) -> [UInt8]? {
        while true {
            if let range = buffer.firstRange(of: end) {
                let taken = Array(buffer[..<range.lowerBound])
                buffer.removeFirst(range.upperBound)
                return taken
            }
            var part = [UInt8](repeating: 0, count: 65_536)
            let count = recv(client, &part, part.count, 0)
            guard count > 0 else { return nil }
            buffer += part.prefix(count)
        }
    }
}
