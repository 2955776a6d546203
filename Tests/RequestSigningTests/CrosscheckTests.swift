import Crypto
import Foundation
import HTTPTypes
import RequestSigning
import Testing

/// The other implementation: PyPI's `http-message-signatures`, in a virtual environment of its own.
enum Crosscheck {
    struct Message: Codable {
        var action: String
        var method: String
        var url: String
        var headers: [[String]]
        var body: String?
        var secret: String
        var keyid: String
        var covered: [String]
        var created: Int64
        var expires: Int64
        var nonce: String
        /// By which the signature is found.
        var label = "florin"
        /// In the order in which it writes them.
        var parameters = ["created", "expires", "nonce", "keyid", "tag"]
    }

    struct Answer: Codable {
        var accepted: Bool
        var reason: String?
        var headers: [[String]]?
    }

    struct Failure: Error {
        var output: String
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("crosscheck").path
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let prepare = ["\(repository)/infra/local/venv.sh", "python-crosscheck", "\(folder)/requirements.txt"]

    /// Whether the other implementation is there or could be installed; under CI it has to be, so there the test runs and fails.
    static let isAvailable: Bool =
        ProcessInfo.processInfo.environment["CI"] == "true" || (try? run("/bin/bash", prepare, input: Data())) != nil

    static func ask(_ message: Message) throws -> Answer {
        // Made ready here too: under CI the condition above has not tried.
        _ = try run("/bin/bash", prepare, input: Data())
        let python = "\(repository)/.local/python-crosscheck/venv/bin/python"
        let output = try run(python, [folder + "/crosscheck.py"], input: JSONEncoder().encode(message))
        return try JSONDecoder().decode(Answer.self, from: output)
    }

    /// The standard output. The message, its secret included, goes through a pipe and never shows in the process list.
    private static func run(_ executable: String, _ arguments: [String], input: Data) throws -> Data {
        let process = Process()
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        try process.run()
        // Both sides' texts are a few kilobytes and fit the pipes.
        try stdin.fileHandleForWriting.write(contentsOf: input)
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        let errors = try stderr.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(output: String(decoding: errors, as: UTF8.self)) }
        return output
    }
}

@Suite("Cross-check with http-message-signatures", .serialized)
struct CrosscheckTests {
    static let requests: [(target: String, withBody: Bool, allFields: Bool)] = [
        ("/v1/transfers", true, false), ("/v1/transfers?dry=1&x=%2F", true, true), ("/v1/wallets/wal_1?", false, true), ("/", false, false),
    ]

    private static let isAvailable = Comment(rawValue: "python3, venv and pip install http-message-signatures are needed")

    private func message(_ action: String, _ request: SignableRequest, body: [UInt8]?, created: Int64) -> Crosscheck.Message {
        var covered = ["@method", "@authority", "@path", "@query"] + (body == nil ? [] : ["content-digest", "content-type"])
        covered += SigningFixture.optionalFields.map(\.name.canonicalName).filter { request.headerFields[HTTPField.Name($0)!] != nil }
        return Crosscheck.Message(
            action: action, method: request.method, url: "https://\(request.authority)\(request.target)",
            headers: request.headerFields.map { [$0.name.rawName, $0.value] }, body: body.map { Data($0).base64EncodedString() },
            secret: SigningFixture.mobileKey.secret.withUnsafeBytes { Data($0).base64EncodedString() }, keyid: SigningFixture.mobileKey.keyID,
            covered: covered, created: created, expires: created + 20, nonce: "crosscheck")
    }

    @Test("it accepts what we sign, and refuses it once tampered with", .enabled(isAvailable) { Crosscheck.isAvailable }, arguments: requests)
    func oursByTheirs(target: String, withBody: Bool, allFields: Bool) throws {
        let body = withBody ? SigningFixture.body : nil
        let created = Int64(Date().timeIntervalSince1970)
        let key = SigningKey(keyID: SigningFixture.mobileKey.keyID, secret: SigningFixture.mobileKey.secret, notBefore: 0, notAfter: nil)
        let keys = try SigningKeys(service: "mobile-bff", outbound: [.init(callee: "wallet-ledger", key: key)], inbound: [])
        var request = SigningFixture.request(target: target, withBody: withBody, allFields: allFields)
        try RequestSigner(keys: SigningKeyStore(keys: keys), callee: "wallet-ledger").sign(
            &request, body: body, created: created, nonce: "crosscheck")
        let answer = try Crosscheck.ask(message("verify", request, body: body, created: created))
        #expect(answer.accepted, "\(answer.reason ?? "")")
        request.target += "x"
        #expect(try !Crosscheck.ask(message("verify", request, body: body, created: created)).accepted)
    }

    @Test("we accept what it signs under another label and in another order", .enabled(isAvailable) { Crosscheck.isAvailable })
    func theirMannerByOurs() throws {
        var message = message("sign", SigningFixture.request(), body: SigningFixture.body, created: SigningFixture.now)
        message.label = "sig-b26"
        message.covered.reverse()
        message.parameters = ["tag", "keyid", "nonce", "expires", "created"]
        var request = SigningFixture.request()
        for header in try #require(try Crosscheck.ask(message).headers) { request.headerFields[try #require(HTTPField.Name(header[0]))] = header[1] }
        let input = try #require(request.headerFields[HTTPField.Name("signature-input")!])
        #expect(input.hasPrefix(#"sig-b26=("florin-client" "#) && input.contains(#");tag="florin-internal-1";keyid="#), "\(input)")
        let fixture = try SigningFixture()
        #expect(fixture.refusal(of: request) == nil)
        request.target += "x"
        #expect(fixture.refusal(of: request) == .invalid(.wrongCode))
    }

    @Test("we accept what it signs, and refuse it once tampered with", .enabled(isAvailable) { Crosscheck.isAvailable }, arguments: requests)
    func theirsByOurs(target: String, withBody: Bool, allFields: Bool) throws {
        let body = withBody ? SigningFixture.body : nil
        var request = SigningFixture.request(target: target, withBody: withBody, allFields: allFields)
        let answer = try Crosscheck.ask(message("sign", request, body: body, created: SigningFixture.now))
        for header in try #require(answer.headers) { request.headerFields[try #require(HTTPField.Name(header[0]))] = header[1] }
        let fixture = try SigningFixture()
        #expect(fixture.refusal(of: request, body: body ?? []) == nil)
        request.method = "DELETE"
        #expect(fixture.refusal(of: request, body: body ?? []) == .invalid(.wrongCode))
    }
}
