import Foundation
import Synchronization
import TestSupport

/// A browser as far as a server can tell: it keeps cookies, names the origin of its forms, and follows no redirect unless it is told to.
final class TestBrowser: Sendable {
    /// What came back.
    struct Page: Sendable, CustomStringConvertible {
        let status: Int
        /// Names in lower case, in the order in which they came.
        let fields: [(name: String, value: String)]
        let body: String

        func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
        var location: String? { values("location").first }
        var description: String { "\(status) \(location ?? "") \(body.prefix(2_000))" }

        /// The value of a form's unseen field.
        func field(_ name: String) -> String? {
            body.matches(of: /<input[^>]*>/).map { String($0.output) }.first { $0.contains(#"name="\#(name)""#) }?
                .firstMatch(of: /value="([^"]*)"/).map { String($0.1) }
        }

        /// The parameters of where it leads.
        var query: [String: String] {
            let items = location.flatMap { URLComponents(string: $0) }?.percentEncodedQuery?.split(separator: "&") ?? []
            return Dictionary(
                items.map { item in
                    let parts = item.split(separator: "=", maxSplits: 1)
                    let value = parts.count == 2 ? String(parts[1]).replacingOccurrences(of: "+", with: " ") : ""
                    return (String(parts[0]), value.removingPercentEncoding ?? value)
                }, uniquingKeysWith: { first, _ in first })
        }
    }

    struct NoPage: Error { let text: String }

    let port: Int
    let origin: String
    private let kept: Mutex<[String: String]>

    init(port: Int, origin: String, cookies: [String: String] = [:]) {
        self.port = port
        self.origin = origin
        kept = Mutex(cookies)
    }

    var cookies: [String: String] { kept.withLock { $0 } }

    func forget(_ cookie: String) { _ = kept.withLock { $0.removeValue(forKey: cookie) } }

    func get(_ target: String, _ fields: [String: String] = [:]) async throws -> Page {
        try await send("GET", target, fields, form: nil)
    }

    /// Posts a form from a page of the origin.
    func post(_ target: String, _ form: [(String, String)], _ fields: [String: String] = [:]) async throws -> Page {
        let own = ["origin": origin, "sec-fetch-site": "same-origin"].merging(fields) { $1 }
        return try await send("POST", target, own, form: form)
    }

    private func send(_ method: String, _ target: String, _ fields: [String: String], form: [(String, String)]?) async throws -> Page {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        head += "User-Agent: Mozilla/5.0 (X11; Linux) Firefox/140.0\r\n"
        let sent = cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")
        if !sent.isEmpty { head += "Cookie: \(sent)\r\n" }
        for (name, value) in fields where !value.isEmpty { head += "\(name): \(value)\r\n" }
        var body = ""
        if let form {
            body = form.map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&")
            head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \(body.utf8.count)\r\n"
        }
        let page = try Self.parse(await HTTPSocket.everything(after: Array("\(head)\r\n\(body)".utf8), port: port))
        keep(page)
        return page
    }

    private func keep(_ page: Page) {
        kept.withLock { kept in
            for cookie in page.values("set-cookie") {
                let parts = cookie.split(separator: ";")[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                kept[String(parts[0])] = parts[1].isEmpty ? nil : String(parts[1])
            }
        }
    }

    private static func parse(_ text: String) throws -> Page {
        guard let end = text.range(of: "\r\n\r\n") else { throw NoPage(text: text) }
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { throw NoPage(text: text) }
        let fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: parts[0].lowercased(), value: parts.count == 2 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
        }
        return Page(status: status, fields: fields, body: String(text[end.upperBound...]))
    }

    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
