import HTTPTypes
import NIOHTTP1
import RequestSigning
import ServiceClient
import TestSupport
import Testing

@Suite("Service client")
struct ServiceClientTests {
    let fixture: ClientFixture

    init() throws { fixture = try ClientFixture() }

    /// Runs a scripted server and a client of it.
    private func withClient(
        _ script: [ScriptedServer.Step], tryTimeout: Duration = .seconds(20),
        _ body: (_ server: ScriptedServer, _ client: ServiceClient) async throws -> Void
    ) async throws {
        let connections = ServiceConnections(connectTimeout: .seconds(10))
        do {
            try await ScriptedServer.running(script) { server, port in
                try await body(server, try fixture.client(port: port, connections: connections, tryTimeout: tryTimeout))
            }
        } catch {
            await connections.close()
            throw error
        }
        await connections.close()
    }

    private func error(_ client: ServiceClient, _ request: ServiceRequest) async throws -> ServiceClientError {
        do throws(ServiceClientError) {
            let response = try await client.send(request)
            Issue.record("answered \(response.status)")
        } catch {
            return error
        }
        throw CancellationError()
    }

    @Test("a request arrives signed, with key, token, trace, request id and deadline, and the answer comes back whole")
    func request() async throws {
        try await withClient([.answer(201, headers: [("x-note", "n")], body: #"{"id":"trf_1"}"#)]) { server, client in
            let response = try await client.send(ClientFixture.post(deadline: .seconds(60)))
            #expect(response.status == 201)
            #expect(response.headerFields[.init("x-note")!] == "n")
            #expect(String(decoding: response.body, as: UTF8.self) == #"{"id":"trf_1"}"#)
            let received = try #require(server.received.first)
            #expect(received.method == "POST")
            #expect(received.target == "/v1/transfers?dry=1")
            #expect(received.headers["idempotency-key"] == ["order-1"])
            #expect(received.headers["authorization"] == ["Bearer a.b.c"])
            #expect(received.headers["traceparent"] == ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
            #expect(received.headers["x-request-id"] == ["req-1"])
            #expect(received.headers["content-type"] == ["application/json"])
            #expect(received.headers["host"] == [client.address.authority])
            let deadline = try #require(received.headers["florin-deadline"].first.flatMap { Int64($0) })
            #expect((1...60_000).contains(deadline - ClientFixture.unixMilliseconds))
            try await fixture.check(received)
        }
    }

    @Test("a POST with a key is tried again after 502, 503 and 504: signed anew, with the same key", arguments: [502, 503, 504])
    func retriedPost(status: Int) async throws {
        try await withClient([.answer(status), .answer(201)]) { server, client in
            let response = try await client.send(ClientFixture.post())
            #expect(response.status == 201)
            let received = server.received
            #expect(received.count == 2)
            #expect(received.map { $0.headers["idempotency-key"] } == [["order-1"], ["order-1"]])
            #expect(received[0].body == received[1].body)
            #expect(Set(received.compactMap { Self.nonce(of: $0) }).count == 2)
            for request in received { try await fixture.check(request) }
        }
    }

    @Test("after three tries the last answer stands", arguments: ["GET", "POST"])
    func maximumTries(method: String) async throws {
        try await withClient(Array(repeating: .answer(503, body: "x"), count: 5)) { server, client in
            let response = try await client.send(method == "GET" ? ClientFixture.get() : ClientFixture.post())
            #expect(response.status == 503)
            #expect(server.received.count == RetryPolicy.maximumTries)
        }
    }

    @Test("a POST without a key is never tried again", arguments: [ScriptedServer.Step.answer(503), .drop])
    func keylessPost(step: ScriptedServer.Step) async throws {
        try await withClient([step, .answer(201)]) { server, client in
            _ = try? await client.send(ClientFixture.post(key: nil))
            #expect(server.received.count == 1)
        }
    }

    @Test("other answers are not tried again", arguments: [200, 201, 307, 400, 401, 404, 409, 422, 429, 500, 501])
    func finalAnswers(status: Int) async throws {
        try await withClient([.answer(status, headers: [("location", "/elsewhere")]), .answer(200)]) { server, client in
            let response = try await client.send(ClientFixture.get())
            #expect(response.status == status)
            #expect(server.received.count == 1)
        }
    }

    @Test("a GET is tried again after a lost connection", arguments: [ScriptedServer.Step.drop, .breakOff])
    func lostGet(step: ScriptedServer.Step) async throws {
        try await withClient([step, .answer(200, body: "ok")]) { server, client in
            let response = try await client.send(ClientFixture.get())
            #expect(response.status == 200)
            #expect(server.received.count == 2)
        }
    }

    @Test("a POST whose connection is lost after it was sent is left to the caller, who learns that it may have happened")
    func lostPost() async throws {
        try await withClient([.drop, .answer(201)]) { server, client in
            let error = try await error(client, ClientFixture.post())
            #expect(error.kind == .connectionLost)
            #expect(error.mayHaveTakenEffect)
            #expect(error.description.hasPrefix("lost the connection to wallet-ledger at \(client.address)"))
            #expect(server.received.count == 1)
        }
    }

    @Test("a GET that hangs is given up after the time of one try and tried again")
    func hangingGet() async throws {
        try await withClient([.hang, .answer(200)], tryTimeout: .seconds(2)) { server, client in
            let response = try await client.send(ClientFixture.get())
            #expect(response.status == 200)
            #expect(server.received.count == 2)
        }
    }

    @Test("a POST that hangs past the time of one try is named as such")
    func hangingPost() async throws {
        try await withClient([.hang], tryTimeout: .milliseconds(200)) { server, client in
            let error = try await error(client, ClientFixture.post())
            #expect(error.kind == .timedOut)
            #expect(error.mayHaveTakenEffect)
            #expect(error.tries == 1)
        }
    }

    @Test("the deadline ends a try that would be allowed to take longer")
    func deadlineInTry() async throws {
        try await withClient([.hang]) { server, client in
            let started = ContinuousClock.now
            let error = try await error(client, ClientFixture.get(deadline: .milliseconds(200)))
            #expect(error.kind == .deadlineExceeded)
            #expect(ContinuousClock.now - started < .seconds(10))
        }
    }

    @Test("a deadline that has passed sends nothing")
    func passedDeadline() async throws {
        try await withClient([.answer(200)]) { server, client in
            let error = try await error(client, ClientFixture.get(deadline: .milliseconds(-1)))
            #expect(error.kind == .deadlineExceeded)
            #expect(!error.mayHaveTakenEffect)
            #expect(error.tries == 0)
            #expect(server.received.isEmpty)
        }
    }

    @Test("Retry-After is waited for")
    func retryAfter() async throws {
        try await withClient([.answer(503, headers: [("retry-after", "1")]), .answer(201)]) { server, client in
            let started = ContinuousClock.now
            let response = try await client.send(ClientFixture.post())
            #expect(response.status == 201)
            #expect(ContinuousClock.now - started >= .seconds(1))
        }
    }

    @Test("a Retry-After that the deadline does not leave room for ends the call at once with the answer", arguments: ["30", "61"])
    func retryAfterBeyondDeadline(seconds: String) async throws {
        try await withClient([.answer(503, headers: [("retry-after", seconds)]), .answer(201)]) { server, client in
            let response = try await client.send(ClientFixture.post(deadline: .seconds(20)))
            #expect(response.status == 503)
            #expect(response.retryAfterSeconds == Int(seconds))
            #expect(server.received.count == 1)
        }
    }

    @Test("what cannot be reached is named, and nothing can have happened", arguments: ["GET", "POST"])
    func unreachable(method: String) async throws {
        let connections = ServiceConnections()
        let client = try fixture.client(port: try FreePort.any(), connections: connections)
        let error = try await error(client, method == "GET" ? ClientFixture.get() : ClientFixture.post())
        await connections.close()
        #expect(error.kind == .unreachable)
        #expect(!error.mayHaveTakenEffect)
        #expect(error.tries == RetryPolicy.maximumTries)
        #expect(error.description.hasPrefix("cannot reach wallet-ledger at \(client.address) (3 tries)"))
    }

    @Test("an answer that is too large is refused")
    func tooLarge() async throws {
        let body = String(repeating: "x", count: ServiceConnections.maximumResponseBytes + 1)
        try await withClient([.answer(200, body: body)]) { server, client in
            let error = try await error(client, ClientFixture.get())
            #expect(error.kind == .responseTooLarge)
        }
    }

    @Test("without a key for the callee nothing is sent")
    func noKey() async throws {
        let connections = ServiceConnections()
        try await ScriptedServer.running([.answer(200)]) { server, port in
            let client = try fixture.keylessClient(port: port, connections: connections)
            let error = try await error(client, ClientFixture.get())
            #expect(error.kind == .unsignable)
            #expect(server.received.isEmpty)
        }
        await connections.close()
    }

    @Test("a caller that goes away ends the call")
    func cancellation() async throws {
        try await withClient([.hang]) { server, client in
            let call = Task { try await self.error(client, ClientFixture.get()).kind }
            #expect(try await eventually { !server.received.isEmpty })
            call.cancel()
            let kind = try await call.value
            #expect(kind == .cancelled)
        }
    }

    private static func nonce(of request: ScriptedServer.Received) -> Substring? {
        request.headers["signature-input"].first?.split(separator: ";").first { $0.hasPrefix("nonce=") }
    }
}
