import Contracts
import Foundation
import Postgres
import StrictJSON
import Testing

@testable import Identity

/// The pages of a sign-in over HTTP, as a browser meets them: `BeginSignIn`, `EnterPassword`, `EnterSecondFactor`, `GiveConsent`, on
/// `FlowTurns`; and `TellOfNewDevice`.
@Suite struct SignInPageTests {
    @Test func `a person signs in by password, and the client gets a code that says so`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let answer = try await fixture.signIn(browser, "ana@example.com")
        #expect(answer.status == 303, "\(answer)")
        #expect(answer.location?.hasPrefix("\(SignInFixture.redirectURI)?code=") == true, "\(answer)")
        #expect(answer.query["state"] == "s1" && answer.query["iss"] == SignInFixture.issuer)
        #expect(answer.values("cache-control") == ["no-store"])
        let claims = try await fixture.redeem(answer)
        #expect(claims["sub"]?.stringValue == UserID(user).description, "\(claims)")
        #expect(claims["acr"]?.stringValue == Authentication.password)
        #expect(claims["auth_time"]?.integerValue == fixture.clock.seconds)
        #expect(try await fixture.events("identity.session.started.v1") == 1)
        for cookie in answer.values("set-cookie") {
            #expect(cookie.hasPrefix("__Host-") && cookie.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "\(cookie)")
        }
        #expect(Set(browser.cookies.keys) == ["__Host-florin-flow", "__Host-florin-session", "__Host-florin-device"])
        #expect(try await fixture.identity.count("devices", where: "name = 'Firefox on Linux'") == 1)
        #expect(try await fixture.identity.count("sign_in_flows", where: "position('code='::bytea IN sealed_answer) > 0") == 0)
    }

    @Test func `a wrong password shows the form again with the address and nothing else, and signs nobody in`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let page = try await fixture.open(browser)
        for email in ["ana@example.com", "nobody@example.com", "no address"] {
            let again = try await fixture.enter(browser, page, email: email, password: "wrong horse battery")
            #expect(again.status == 422 && again.location == nil)
            #expect(again.body.contains(email) && !again.body.contains("wrong horse"))
            #expect(again.field("csrf") == page.field("csrf"))
        }
        #expect(browser.cookies["__Host-florin-session"] == nil)
        #expect(try await fixture.identity.count("sessions") == 0)
    }

    @Test func `ID-06: after five wrong passwords the page is 429 with Retry-After, for an unknown account too`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        for email in ["ana@example.com", "nobody@example.com"] {
            let browser = fixture.browser()
            let page = try await fixture.open(browser)
            for _ in 0..<5 { _ = try await fixture.enter(browser, page, email: email, password: "wrong horse battery") }
            let blocked = try await fixture.enter(browser, page, email: email)
            #expect(blocked.status == 429 && blocked.values("retry-after") == ["30"], "\(blocked)")
        }
    }

    @Test func `ID-02: a link to another browser's flow begins one of one's own, and the other stays where it was`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let (attacker, victim) = (fixture.browser(), fixture.browser())
        let planted = try await fixture.open(attacker, SignInFixture.authorize(state: "planted"))
        let flow = try #require(planted.field("flow"))
        for target in ["/signin?flow=\(flow)", "/signin/restart?flow=\(flow)"] {
            let fresh = try await victim.get(target)
            #expect(fresh.status == 303 && fresh.location?.hasPrefix("/signin?flow=") == true && fresh.location?.contains(flow) == false)
        }
        // Also a browser that is in a flow of its own gets no page of another's.
        let busy = fixture.browser()
        _ = try await fixture.open(busy)
        #expect(try await busy.get("/signin?flow=\(flow)").status == 303)
        // Signed in, the victim leaves by a flow of their own, or at once.
        let signedIn = try await fixture.signIn(victim, "ana@example.com")
        #expect(signedIn.query["state"] == "s1")
        #expect(try await victim.get("/signin?flow=\(flow)").location?.hasPrefix(SignInFixture.redirectURI) == true)
        // What the victim posts to the planted flow with its own token goes nowhere either.
        let posted = try await fixture.enter(victim, planted, email: "ana@example.com")
        #expect(posted.status == 303)
        let id = try #require(SignInFlowID(flow)).uuid
        #expect(try await fixture.identity.count("sign_in_flows", where: "id = '\(id)' AND state = 'password'") == 1)
        #expect(try await attacker.get("/signin?flow=\(flow)").status == 200)
        #expect(attacker.cookies["__Host-florin-session"] == nil)
    }

    @Test func `ID-02: the session's cookie changes with every sign-in, and the session stays`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        _ = try await fixture.signIn(browser, "ana@example.com")
        let before = try #require(browser.cookies["__Host-florin-session"])
        _ = try await fixture.signIn(browser, "ana@example.com", SignInFixture.authorize(state: "s2", "&prompt=login"))
        let after = try #require(browser.cookies["__Host-florin-session"])
        #expect(before != after)
        #expect(try await fixture.identity.count("sessions") == 1)
        let thief = fixture.browser(["__Host-florin-session": before])
        #expect(try await thief.get(SignInFixture.authorize("own-1", "&prompt=none")).query["error"] == "login_required")
    }

    @Test func `ID-03: each of two tabs goes to its own address, whichever is signed in first, also when a flow has expired`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let first = try await fixture.open(browser, SignInFixture.authorize(state: "t1"))
        let second = try await fixture.open(browser, SignInFixture.authorize(state: "t2"))
        #expect(try await fixture.enter(browser, second, email: "ana@example.com").query["state"] == "t2")
        // The password in the other tab is not even looked at: who it names is signed in.
        let other = try await fixture.enter(browser, first, email: "Ana@Example.com", password: "no longer needed")
        #expect(other.query["state"] == "t1" && other.query["code"] != nil, "\(other)")
        #expect(try await fixture.events("identity.session.started.v1") == 1)

        let late = try await fixture.open(browser, SignInFixture.authorize(state: "t3", "&prompt=login"))
        fixture.clock.advance(by: .seconds(SignInFlow.lifeSeconds))
        let expired = try await fixture.enter(browser, late, email: "ana@example.com")
        let flow = try #require(late.field("flow"))
        #expect(expired.status == 200 && expired.body.contains("/signin/restart?flow=\(flow)"), "\(expired)")
        let restarted = try await browser.get("/signin/restart?flow=\(flow)")
        let page = try await fixture.follow(browser, restarted)
        #expect(try await fixture.enter(browser, page, email: "ana@example.com").query["state"] == "t3")
    }

    @Test func `ID-03: somebody else who signs in in a second tab is who they are, and the first session ends`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let bob = try await fixture.credentials.makeUser("bob@example.com")
        let browser = fixture.browser()
        let waiting = try await fixture.open(browser, SignInFixture.authorize(state: "t1"))
        _ = try await fixture.signIn(browser, "ana@example.com", SignInFixture.authorize(state: "t2"))
        let answer = try await fixture.enter(browser, waiting, email: "bob@example.com")
        #expect(try await fixture.redeem(answer)["sub"]?.stringValue == UserID(bob).description)
        #expect(try await fixture.identity.count("sessions", where: "end_reason = 'replaced'") == 1)
        #expect(try await fixture.events("identity.session.revoked.v1") == 1)
    }

    @Test func `under one browser's cookie live ten flows, and the oldest gives way`() async throws {
        let fixture = try await SignInFixture()
        let browser = fixture.browser()
        let first = try await fixture.open(browser)
        for index in 0..<10 {
            fixture.clock.advance(by: .milliseconds(1))
            _ = try await fixture.open(browser, SignInFixture.authorize(state: "s\(index)"))
        }
        #expect(try await fixture.identity.count("sign_in_flows") == 10)
        let gone = try await browser.get("/signin?flow=\(try #require(first.field("flow")))")
        #expect(gone.status == 404 && gone.body.contains("</html>"))
    }

    @Test func `ID-04: a form that is sent twice at once and again later gives the same address, one session and one hash`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let page = try await fixture.open(browser)
        async let first = fixture.enter(browser, page, email: "ana@example.com")
        async let second = fixture.enter(browser, page, email: "ana@example.com")
        let answers = [try await first, try await second]
        fixture.clock.advance(by: .seconds(5))
        let third = try await fixture.enter(browser, page, email: "ana@example.com", password: "not looked at")
        #expect((answers + [third]).allSatisfy { $0.status == 303 })
        #expect(Set((answers + [third]).map(\.location)).count == 1)
        // Whichever of the answers reaches the browser, it brings the session.
        let sessions = (answers + [third]).map { $0.values("set-cookie").filter { $0.hasPrefix("__Host-florin-session=") } }
        #expect(sessions.allSatisfy { $0.count == 1 } && Set(sessions.flatMap(\.self)).count == 1)
        #expect(try await fixture.events("identity.session.started.v1") == 1)
        #expect(try await fixture.identity.count("authorization_codes") == 1)
        // Once the code is worth nothing any more, the same request gets another one.
        fixture.clock.advance(by: .seconds(60))
        let late = try await fixture.enter(browser, page, email: "ana@example.com")
        #expect(late.query["state"] == "s1" && late.query["code"] != third.query["code"] && late.query["code"] != nil, "\(late)")
        #expect(try await fixture.events("identity.session.started.v1") == 1)
    }

    @Test func `ID-05: a user with a second factor gets nothing by the password alone, through no door`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let totp = try await fixture.credentials.enrol(user)
        let browser = fixture.browser()
        let step = try await fixture.signIn(browser, "ana@example.com")
        #expect(step.status == 303 && step.location?.hasPrefix("/signin?flow=") == true)
        #expect(browser.cookies["__Host-florin-session"] == nil)
        #expect(try await browser.get(SignInFixture.authorize("own-1", "&prompt=none")).query["error"] == "login_required")
        let page = try await fixture.follow(browser, step)
        // Back to the password, or on to consent: the flow stays at the code.
        let back = try await fixture.enter(browser, page, email: "ana@example.com")
        #expect(back.location == step.location)
        #expect(try await fixture.decide(browser, page, "allow").location == step.location)
        #expect(try await fixture.identity.count("sessions") == 0)
        let wrong = try await fixture.enterCode(browser, page, "000000")
        #expect(wrong.status == 422, "\(wrong)")
        let answer = try await fixture.enterCode(browser, page, fixture.credentials.code(totp))
        let claims = try await fixture.redeem(answer)
        #expect(claims["acr"]?.stringValue == Authentication.multiFactor)
        #expect(claims["amr"]?.arrayValue?.compactMap(\.stringValue) == ["pwd", "otp"])
    }

    @Test func `the fifth wrong code ends a flow: it leads to a new beginning, password included`() async throws {
        let fixture = try await SignInFixture()
        let user = try await fixture.credentials.makeUser("ana@example.com")
        let totp = try await fixture.credentials.enrol(user)
        let browser = fixture.browser()
        let page = try await fixture.follow(browser, try await fixture.signIn(browser, "ana@example.com"))
        for _ in 0..<4 { #expect(try await fixture.enterCode(browser, page, "000000").status == 422) }
        let last = try await fixture.enterCode(browser, page, "000000")
        #expect(last.status == 200 && last.body.contains("/signin/restart?flow="), "\(last)")
        fixture.clock.advance(by: .seconds(60))
        #expect(try await fixture.enterCode(browser, page, fixture.credentials.code(totp)).location == nil)
        #expect(try await fixture.identity.count("sessions") == 0)
    }

    @Test func `a form without the flow's own token, or from another site, advances nothing`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let browser = fixture.browser()
        let page = try await fixture.open(browser)
        let other = try await fixture.open(browser, SignInFixture.authorize(state: "s2"))
        let typed = [("email", "ana@example.com"), ("password", SignInFixture.password)]
        let flow = try #require(page.field("flow"))
        for token in [other.field("csrf") ?? "", "", "x", String(repeating: "A", count: 43)] {
            let answer = try await browser.post("/signin/password", [("flow", flow), ("csrf", token)] + typed)
            #expect(answer.status == 303 && answer.location?.hasPrefix("/signin?flow=") == true && answer.location?.contains(flow) == false)
        }
        for origin in ["https://evil.example", "null", ""] {
            let answer = try await browser.post("/signin/password", try fixture.hidden(page) + typed, ["origin": origin])
            #expect(answer.status == 403 && answer.location == nil && answer.body.contains("</html>"), "\(answer)")
        }
        #expect(try await fixture.identity.count("sessions") == 0)
    }

    @Test func `a sign-in on another device is told by mail: device, network and time, and only once per device`() async throws {
        let fixture = try await SignInFixture()
        _ = try await fixture.credentials.makeUser("ana@example.com")
        let (laptop, phone) = (fixture.browser(), fixture.browser())
        _ = try await fixture.signIn(laptop, "ana@example.com")
        #expect(try await fixture.mails().isEmpty, "the first device is no news")
        _ = try await fixture.enter(
            phone, try await fixture.open(phone), email: "ana@example.com", fields: ["florin-client": #"ip="203.0.113.7""#])
        phone.forget("__Host-florin-session")
        _ = try await fixture.signIn(phone, "ana@example.com")
        let mails = try await fixture.mails()
        #expect(mails.map(\.purpose) == [.newDevice])
        let content = try #require(mails.first?.content)
        #expect(content.address == "ana@example.com")
        #expect(content.details == MessageDetails(device: "Firefox on Linux", place: "203.0.113.0/24", at: fixture.clock.now))
        #expect(try await fixture.events("identity.session.started.v1") == 3)
    }
}
