import Testing

/// HEAD, OPTIONS and the methods that a path does not have, whatever its access.
@Suite("Methods")
struct MethodTests {
    @Test("HEAD is answered like GET without its body", arguments: ["/public", "/public/export", "/public/export?known", "/pages/alerts", "/me"])
    func head(target: String) async throws {
        let toy = try await ToyService.shared()
        let isSigned = target == "/me"
        let fields = isSigned ? [("authorization", "Bearer \(try await toy.token())")] : [("cookie", "__Host-session=open")]
        let head = try await toy.send(ToyCall("HEAD", target, fields, by: isSigned ? "mobile-bff" : nil))
        let get = try await toy.send(ToyCall("GET", target, fields, by: isSigned ? "mobile-bff" : nil))
        #expect(head.status == 200 && head.body.isEmpty, "\(head)")
        #expect(head.values("content-type") == get.values("content-type"))
        if get.values("transfer-encoding").isEmpty { #expect(head.values("content-length") == ["\(get.body.utf8.count)"]) }
    }

    @Test("HEAD passes the same checks as GET, and its refusal has no body either")
    func refusedHead() async throws {
        let answer = try await ToyService.shared().send(ToyCall("HEAD", "/me"))
        #expect(answer.status == 401 && answer.body.isEmpty && answer.challenges == [#"Signature realm="florin-internal-1""#])
    }

    @Test(
        "OPTIONS says which methods there are, and any other is refused with them",
        arguments: [
            ("/public", "GET, HEAD, OPTIONS"), ("/public/notes", "OPTIONS, POST"), ("/token", "OPTIONS, POST"), ("/users", "OPTIONS, POST"),
            ("/me", "GET, HEAD, OPTIONS"), ("/pages/alerts", "GET, HEAD, OPTIONS"), ("/pages/alerts/7", "OPTIONS, POST"),
            ("/pages/session", "DELETE, OPTIONS"),
        ])
    func methods(path: String, allowed: String) async throws {
        let toy = try await ToyService.shared()
        let options = try await toy.send(ToyCall("OPTIONS", path))
        #expect(options.status == 204 && options.values("allow") == [allowed] && options.body.isEmpty, "\(options)")
        #expect(options.values("x-request-id").count == 1)
        for method in ["PATCH", "TRACE"] {
            let other = try await toy.send(ToyCall(method, path))
            #expect(other.status == 405 && other.code == "method_not_allowed" && other.values("allow") == [allowed], "\(other)")
        }
        #expect(try await toy.send(ToyCall("OPTIONS", "\(path)/nothing/here")).status == 404)
    }

    @Test(
        "what can be posted is named", arguments: [("/token", ["application/x-www-form-urlencoded"]), ("/users", ["application/json"]), ("/me", [])])
    func acceptPost(path: String, types: [String]) async throws {
        #expect(try await ToyService.shared().send(ToyCall("OPTIONS", path)).values("accept-post") == types)
    }
}
