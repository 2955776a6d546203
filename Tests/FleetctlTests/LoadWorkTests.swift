import Crypto
import Fleetctl
import Foundation
import NIOCore
import Testing

@Suite("Load: identity's work")
struct LoadWorkTests {
    private static let requests = IdentityRequests(authority: "127.0.0.1:8101")

    /// Head lines and form of a request.
    private func parts(_ request: ByteBuffer) throws -> (lines: [String], form: [String: String]) {
        let text = String(buffer: request)
        let end = try #require(text.range(of: "\r\n\r\n"))
        let body = String(text[end.upperBound...])
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        if !body.isEmpty { #expect(lines.contains("content-length: \(body.utf8.count)")) }
        let pairs = body.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        return (lines, Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) }))
    }

    private func answer(_ work: some LoadWork, _ piece: Int, _ status: Int, _ body: String) -> LoadProgress {
        Array(body.utf8).withUnsafeBytes { work.answered(piece, status: status, body: $0) }
    }

    @Test("a member's value is what stands between its quotes, wherever it is; none in what is cut or of another name")
    func members() {
        let member = TokenMember("code")
        func value(_ text: String) -> String? { Array(text.utf8).withUnsafeBytes { member.value(in: $0) } }
        #expect(value(#"{"code":"abc-_1"}"#) == "abc-_1")
        #expect(value(#"{"x":"code","code":"","y":1}"#) == "")
        for none in ["", "{}", #"{"code":"abc"#, #"{"code":1}"#, #"{"codes":"abc"}"#, "\"code\":"] { #expect(value(none) == nil) }
    }

    @Test("a sign-in is a challenge and then its code's exchange, with the verifier of the challenge and in a network of its own")
    func signIn() throws {
        let work = SignInWork(Self.requests, clientID: "app", addresses: ["one@example.com", "two@example.com"], password: "secret")
        let (first, challenge) = work.next()
        let (second, other) = work.next()
        #expect(work.isUsedUp && first != second)
        let (lines, form) = try parts(challenge)
        #expect(lines.first == "POST /oauth2/authorize-challenge HTTP/1.1")
        #expect(form["username"] == "one@example.com" && form["password"] == "secret" && form["client_id"] == "app")
        #expect(form["device_secret"] == SignInWork.deviceSecret(of: "one@example.com"))
        let networks = [lines, try parts(other).lines].map { $0.filter { $0.hasPrefix("florin-client:") } }
        #expect(networks[0].count == 1 && networks[0] != networks[1])

        guard case .goesOn(let exchange) = answer(work, first, 200, #"{"authorization_code":"c0de"}"#) else {
            Issue.record("the code was not exchanged")
            return
        }
        let token = try parts(exchange)
        #expect(token.lines.first == "POST /oauth2/token HTTP/1.1" && token.form["code"] == "c0de")
        let verifier = try #require(token.form["code_verifier"])
        let hash = Data(SHA256.hash(data: Data(verifier.utf8))).base64EncodedString()
        let challengeText: String = hash.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        #expect(form["code_challenge"] == challengeText)
        #expect(answer(work, first, 200, #"{"access_token":"a","refresh_token":"r"}"#) == .done)
        #expect(answer(work, second, 503, "{}") == .failed)
    }

    @Test("grants are refreshed in turn, each with its successor; one that is under way is passed over, one that failed keeps its token")
    func refresh() throws {
        let work = RefreshWork(Self.requests, clientID: "app", tokens: ["a1", "b1", "c1"])
        func next() throws -> (Int, String) {
            let (piece, request) = work.next()
            return (piece, try #require(try parts(request).form["refresh_token"]))
        }
        let (a, b) = (try next(), try next())
        #expect(a.1 == "a1" && b.1 == "b1")
        #expect(answer(work, a.0, 200, #"{"access_token":"x","refresh_token":"a2"}"#) == .done)
        #expect(try next().1 == "c1")
        #expect(try next().1 == "a2")
        #expect(work.isUsedUp)
        #expect(answer(work, b.0, 503, "{}") == .failed)
        #expect(answer(work, 2, 200, #"{"access_token":"y","refresh_token":"c2"}"#) == .done)
        #expect(try next().1 == "b1")
        var outcome = LoadOutcome()
        work.report(to: &outcome)
        #expect(outcome.refreshTokens == ["c2", "a2", "b1"])
        #expect(outcome.accessTokens == ["x", "y"])
    }

    @Test("what is repeated counts only where the answer holds what it must")
    func repeated() {
        let work = RepeatedRequests([Self.requests.get("/a"), Self.requests.get("/b")], expecting: "\"active\":true")
        let pieces: [Int] = (0..<3).map { _ in work.next().piece }
        #expect(pieces == [0, 1, 0])
        #expect(answer(work, 0, 200, #"{"active":true}"#) == .done)
        #expect(answer(work, 0, 200, #"{"active":false}"#) == .failed)
        #expect(answer(work, 0, 401, #"{"active":true}"#) == .failed)
    }

    @Test("a hash is written as identity reads it, and every thread counts")
    func scrypt() async throws {
        let limit = ScryptLimit(password: "secret")
        let parts = try limit.phc().split(separator: "$")
        #expect(parts.prefix(2) == ["scrypt", "ln=14,r=8,p=5"])
        let lengths: [Int] = parts.dropFirst(2).map(\.count)
        #expect(lengths == [22, 43])
        let (hashes, seconds) = await limit.measure(threads: 2, for: .milliseconds(1))
        #expect(hashes >= 2 && seconds > 0)
    }
}
