import Contracts
import Foundation
import Outbox
import Postgres
import Testing

@testable import Identity

/// A person at a browser that runs no script: keeps cookies, follows redirects, fills in the form of the page.
private final class Person {
    private let api: AccountAPI
    private(set) var cookies: [String: String] = [:]
    private(set) var page = ""
    private(set) var path = ""
    private(set) var status = 0

    init(_ api: AccountAPI) { self.api = api }

    var text: String { page.replacing(/<style>[\s\S]*<\/style>/, with: "") }

    func open(_ path: String) async throws { try await go("GET", path, nil) }

    /// Posts the page's form whose action begins with a path.
    func submit(_ action: String, _ fields: [String: String] = [:], origin: String? = nil) async throws {
        let forms = text.matches(of: /<form [^>]*?method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/)
        guard let form = forms.first(where: { $0.1.prefix { $0 != "?" } == action }) else {
            Issue.record("no form \(action) in \(text)")
            return
        }
        var values = fields
        for hidden in form.2.matches(of: /<input type="hidden" name="(\w+)" value="([^"]*)">/) { values[String(hidden.1)] = String(hidden.2) }
        let body = values.map { "\($0)=\($1.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())" }.joined(separator: "&")
        try await go("POST", String(form.1).replacing("&amp;", with: "&"), body, origin: origin ?? api.origin)
    }

    private func go(_ method: String, _ path: String, _ body: String?, origin: String? = nil) async throws {
        var fields = ["cookie": cookies.map { "\($0)=\($1)" }.joined(separator: "; ")].filter { !$0.value.isEmpty }
        if let origin { fields["origin"] = origin }
        let answer = try await api.send(method, path, body, by: nil, fields)
        for cookie in (answer.fields["set-cookie"] ?? "").split(separator: "\n") {
            #expect(cookie.contains("__Host-") && cookie.contains("Secure; HttpOnly; SameSite=Lax") && cookie.contains("Path=/"))
            let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2 { cookies[pair[0]] = pair[1] }
        }
        (page, self.path, status) = (answer.body, path, answer.status)
        #expect(answer.fields["cache-control"] == "no-store")
        if answer.status == 303 { try await go("GET", answer.fields["location"] ?? "", nil) }
    }
}

@Suite("Pages of registration and recovery") struct AccountPageTests {
    private let api: AccountAPI
    private let email = "ana@example.com"
    private var fixture: AccountFixture { api.fixture }
    private static let signIn = "flw_01jdd00000e008000000000001"

    init() async throws {
        api = try await AccountAPI()
    }

    @Test("a person registers, mistypes the code, has it sent again, and goes on to the sign-in that they came from")
    func registration() async throws {
        let person = Person(api)
        try await person.open("/register?flow=\(Self.signIn)")
        #expect(person.status == 200 && person.text.contains("/signin?flow=\(Self.signIn)"))
        try await person.submit("/register", ["email": "nobody", "password": AccountFixture.password])
        #expect(person.status == 422 && person.text.contains("role=\"alert\"") && person.text.contains("value=\"nobody\""))
        try await person.submit("/register", ["email": email, "password": "short"])
        #expect(person.status == 422 && !person.text.contains("value=\"short\""))
        let before = person.cookies
        try await person.submit("/register", ["email": email, "password": AccountFixture.password])
        #expect(person.status == 200 && person.path == "/verify?flow=\(Self.signIn)" && person.text.contains(email))
        // ID-02: what was known before is worth nothing now.
        #expect(person.cookies != before)
        let code = try #require(try await fixture.code(to: email))
        try await person.submit("/verify", ["code": AccountFixture.wrong(code)])
        #expect(person.status == 422 && person.text.contains("role=\"alert\""))
        fixture.clock.advance(by: .seconds(61))
        try await person.submit("/verify/resend")
        #expect(person.path == "/verify?flow=\(Self.signIn)&resent=1")
        // ID-13: the same live code, in a second mail.
        #expect(try await fixture.mails().map(\.content.code) == [code, code])
        // ID-13: looking changes nothing.
        for _ in 0..<3 { try await person.open("/verify") }
        try await person.open("/verify?flow=\(Self.signIn)")
        try await person.submit("/verify", ["code": " \(code.prefix(3)) \(code.suffix(3)) "])
        #expect(person.status == 200 && person.text.contains("/signin?flow=\(Self.signIn)"), "\(person.text)")
        #expect(try await fixture.signsIn(email, AccountFixture.password))
        try await person.open("/verify")
        #expect(person.status == 200 && !person.text.contains("<form"))
    }

    @Test("ID-08: pages of a taken address are those of a free one, and another's cookie or another site's form gets nowhere")
    func taken() async throws {
        _ = try await fixture.makeUser(email)
        fixture.clock.advance(by: .seconds(61))
        let (owner, other) = (Person(api), Person(api))
        for (person, address) in [(owner, email), (other, "free@example.com")] {
            try await person.open("/register")
            try await person.submit("/register", ["email": address, "password": "another long password"])
        }
        func neutral(_ person: Person, _ address: String) -> String {
            person.text.replacing(address, with: "").replacing(/value="[\w-]{43}"/, with: "")
        }
        #expect(neutral(owner, email) == neutral(other, "free@example.com"))
        let code = try #require(try await fixture.code(to: "free@example.com"))
        // The form of one browser is nothing in another, nor from another site.
        try await owner.submit("/verify", ["code": code])
        #expect(owner.status == 422)
        try await other.submit("/verify", ["code": code], origin: "https://evil.example")
        #expect(other.status == 403)
        #expect(try await fixture.base.count("users") == 1)
        let stranger = Person(api)
        try await stranger.open("/verify")
        #expect(stranger.status == 200 && stranger.text.contains("/register"))
        try await stranger.open("/register?flow=https://evil.example")
        #expect(!stranger.text.contains("evil"))
    }

    @Test("ID-01, ID-14: recovery asks step by step, whatever is posted, and leaves nobody signed in")
    func recovery() async throws {
        let user = try await fixture.makeUser(email)
        let (id, secret) = (fixture.base.newID(), (0..<20).map { _ in UInt8.random(in: .min ... .max) })
        let sealed = try fixture.box.seal(secret, for: StoredTOTP.context(id))
        try await fixture.base.execute(
            """
            INSERT INTO totp_credentials (id, user_id, sealed_secret, created_at, confirmed_at)
            VALUES (\(id), \(user.uuid), \(sealed), \(fixture.clock.now.stored), \(fixture.clock.now.stored))
            """)
        fixture.clock.advance(by: .seconds(61))
        let person = Person(api)
        try await person.open("/recovery?flow=\(Self.signIn)")
        try await person.submit("/recovery", ["email": email])
        #expect(person.path == "/recovery/step?flow=\(Self.signIn)" && person.text.contains("action=\"/recovery/code"))
        let code = try #require(try await fixture.code(to: email))
        try await person.submit("/recovery/code", ["code": AccountFixture.wrong(code)])
        #expect(person.status == 422)
        // A step further on, with the token of this very flow.
        let token = try #require(person.text.firstMatch(of: /name="csrf" value="([^"]*)"/).map { String($0.1) })
        let cookies = person.cookies.map { "\($0)=\($1)" }.joined(separator: "; ")
        for (path, field) in [("/recovery/password", "password=a+new+and+longer+password"), ("/recovery/second-factor", "code=123456")] {
            let answer = try await api.send("POST", path, "csrf=\(token)&\(field)", by: nil, ["cookie": cookies, "origin": api.origin])
            #expect(answer.status == 422 && answer.body.contains("action=\"/recovery/code"), "\(path)")
        }
        #expect(try await fixture.signsIn(email, AccountFixture.password))
        // Without the token of the flow's own page nothing is even looked at.
        for token in ["", "x", BrowserSecret.random().text] {
            let answer = try await api.send(
                "POST", "/recovery/code", "csrf=\(token)&code=\(code)", by: nil, ["cookie": cookies, "origin": api.origin])
            #expect(answer.status == 303)
        }
        #expect(try await fixture.base.count("mailed_codes", where: "kind = 'recovery' AND state = 'code'") == 1)
        try await person.submit("/recovery/code", ["code": code])
        #expect(person.text.contains("action=\"/recovery/second-factor"))
        let right = TOTP(secret: secret).code(at: TOTP.step(at: fixture.clock.now))
        try await person.submit("/recovery/second-factor", ["code": AccountFixture.wrong(right)])
        #expect(person.status == 422 && person.text.contains("action=\"/recovery/second-factor"))
        try await person.submit("/recovery/second-factor", ["code": right])
        #expect(person.text.contains("action=\"/recovery/password"))
        try await person.submit("/recovery/password", ["password": "short"])
        #expect(person.status == 422)
        try await person.submit("/recovery/password", ["password": "a new and longer password"])
        #expect(person.status == 200 && person.text.contains("/signin?flow=\(Self.signIn)"), "\(person.text)")
        #expect(try await fixture.signsIn(email, "a new and longer password"))
        #expect(try await fixture.base.count("sessions") == 0)
        #expect(person.cookies.keys.sorted() == ["__Host-florin-mailed"])
    }

    @Test("what is asked for again in a flow that was over its budget is mailed then, and an unknown address gets nothing")
    func resend() async throws {
        _ = try await fixture.makeUser(email)
        let (person, stranger) = (Person(api), Person(api))
        for (person, address) in [(person, email), (stranger, "nobody@example.com")] {
            try await person.open("/recovery")
            try await person.submit("/recovery", ["email": address])
        }
        // The registration's mail was a moment ago.
        #expect(try await fixture.mails().map(\.purpose) == [.registrationCode])
        fixture.clock.advance(by: .seconds(61))
        try await person.submit("/recovery/resend")
        try await stranger.submit("/recovery/resend")
        #expect(try await fixture.mails().map(\.purpose) == [.registrationCode, .recoveryCodeMail])
        let code = try #require(try await fixture.code(to: email))
        try await person.submit("/recovery/code", ["code": code])
        #expect(person.text.contains("action=\"/recovery/password"))
    }
}
