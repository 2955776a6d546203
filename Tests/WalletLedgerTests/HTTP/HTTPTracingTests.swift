import Contracts
import Observability
import Postgres
import ServiceRuntime
import TestSupport
import Testing
import Tracing

/// The spans of requests and of the batches that post them.
@Suite struct HTTPTracingTests {
    /// Sends a call within a trace and waits until so many of its server spans have ended.
    private func traced(_ call: SignedCall, _ trace: TraceContext, spans count: Int) async throws -> (SignedAnswer, [SpanData]) {
        let api = try await LedgerAPI.shared()
        var call = call
        call.fields["traceparent"] = trace.traceparent
        let answer = try await api.send(call)
        _ = try await eventually { api.spans.of(trace).filter { $0.kind == .server }.count >= count }
        return (answer, api.spans.of(trace))
    }

    @Test("a sampled transfer is a server span below the caller's and the parent of its event; its batch is linked to it")
    func transfer() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let trace = LedgerSpans.newTrace()
        let call = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "5"), as: world.user, key: LedgerWorld.newKey())
        let (answer, spans) = try await traced(call, trace, spans: 1)
        let server = try #require(spans.first { $0.kind == .server })
        #expect(server.name == "POST /v1/transfers" && server.parentSpanID == trace.spanID)
        #expect(server.text("http.request.method") == "POST" && server.text("http.route") == "/v1/transfers")
        #expect(server.text("url.path") == "/v1/transfers" && server.number("http.response.status_code") == 201)
        #expect(server.text("florin.request_id") == answer.fields["x-request-id"])
        #expect(server.status == nil && server.text("error.type") == nil)

        _ = try await eventually { !world.api.spans.batches(with: server.trace).isEmpty }
        let batches = world.api.spans.batches(with: server.trace)
        try #require(batches.count == 1)
        let (batch, first) = (batches[0], try #require(batches[0].links.first?.context.trace))
        #expect(batch.kind == .internal && batch.trace.traceID == first.traceID && batch.parentSpanID == first.spanID)
        #expect(batch.number("ledger.batch.size").map { $0 >= 1 } == true && batch.text("db.system.name") == "postgresql")

        let subject = answer.id
        let traceparent = try await world.api.query { session in
            try session.query("SELECT traceparent FROM outbox_events WHERE subject = \(subject)").map { try $0.decode(String.self) }
        }
        #expect(traceparent == [server.trace.traceparent])
    }

    @Test("a request that its caller did not sample leaves no span")
    func unsampled() async throws {
        let world = try await LedgerWorld.new()
        let (own, other) = (try await world.wallet(balance: 100), try await world.wallet())
        let (unsampled, sampled) = (LedgerSpans.newTrace(isSampled: false), LedgerSpans.newTrace())
        let call = SignedCall("POST", "/v1/transfers", LedgerWorld.transfer(own, other, "5"), as: world.user, key: LedgerWorld.newKey())
        _ = try await traced(call, unsampled, spans: 0)
        // What ends later has ended: nothing of the first can still come.
        _ = try await traced(SignedCall("GET", "/v1/wallets/\(own)", as: world.user), sampled, spans: 1)
        #expect(world.api.spans.of(unsampled).isEmpty)
        #expect(world.api.spans.of(sampled).map(\.name) == ["GET /v1/wallets/{id}"])
    }

    @Test("a refusal is no failure of the span; an answer of 5xx is, with its reason")
    func failures() async throws {
        let world = try await LedgerWorld.new()
        let refusal = LedgerSpans.newTrace()
        var (answer, spans) = try await traced(SignedCall("GET", "/v1/wallets/wal_01900000000000000000000000", as: world.user), refusal, spans: 1)
        #expect(answer.status == 404)
        var server = try #require(spans.first)
        #expect(server.status == nil && server.text("error.type") == nil && server.text("florin.problem_code") == "not_found")

        let failure = LedgerSpans.newTrace()
        var late = SignedCall("GET", "/v1/wallets/\(try await world.wallet())", as: world.user)
        late.fields["florin-deadline"] = "1"
        (answer, spans) = try await traced(late, failure, spans: 1)
        #expect(answer.status == 503)
        server = try #require(spans.first)
        #expect(server.status == SpanStatus(code: .error) && server.text("error.type") == "unavailable")
        #expect(server.number("http.response.status_code") == 503)
    }

    @Test("no span holds a token, a key or a signature, whoever is refused")
    func secrets() async throws {
        let world = try await LedgerWorld.new()
        let trace = LedgerSpans.newTrace()
        let body = LedgerWorld.transfer(try await world.wallet(balance: 100), try await world.wallet(), "5")
        var call = SignedCall("POST", "/v1/transfers", body, as: world.user, key: "key-of-hunter2")
        _ = try await traced(call, trace, spans: 1)
        call.isSigned = false
        var (answer, spans) = try await traced(call, trace, spans: 2)
        let servers = spans.filter { $0.kind == .server }
        #expect(answer.status == 401 && servers.count == 2)
        _ = try await eventually { servers.contains { !world.api.spans.batches(with: $0.trace).isEmpty } }
        spans += servers.flatMap { world.api.spans.batches(with: $0.trace) }
        let text = spans.map { "\($0)" }.joined()
        let token = try #require(world.user.token)
        for secret in world.api.credentials.secrets + [token, String(token.suffix(20)), "key-of-hunter2", "sha-256=", "nonce"] {
            #expect(!text.contains(secret), "\(secret)")
        }
    }
}
