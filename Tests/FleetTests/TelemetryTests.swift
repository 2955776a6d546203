import Contracts
import Foundation
import ServiceClient
import StrictJSON
import TestSupport
import Testing

@Suite("Telemetry, from outside")
struct TelemetryTests {
    private static let promtool = RepositoryRoot.path("infra/monitoring/promtool.sh")
    private static let isAvailable = Comment(rawValue: "promtool is needed, on the PATH or by apt-get download prometheus")

    /// The replica's metrics, as Prometheus would get them.
    private func metrics(_ fleet: LedgerFleet) async throws -> String {
        let client = try fleet.client("fleetctl", ServiceAddress("http://127.0.0.1:\(fleet.replicas[0].adminPort)"))
        let answer = try await client.send(ServiceRequest(method: "GET", target: "/metrics", deadline: .now + .seconds(10)))
        return String(decoding: answer.body, as: UTF8.self)
    }

    @Test(
        "with a collector that is down requests are answered as before, and the process ends as quickly; promtool accepts the metrics",
        .enabled(isAvailable) { await OutsideTool.isAvailable { try await Shell.run([promtool]) } })
    func collectorDown() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            let changes = [
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_SAMPLER": "always_on", "LOG_LEVEL": "info",
                "OTEL_EXPORTER_OTLP_HEADERS": "authorization=hunter2",
            ]
            let replica = LedgerProcess(
                environment: fleet.replicas[0].environment.merging(changes) { $1 }, adminPort: fleet.replicas[0].adminPort)
            try replica.start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 100)
            let transfer = LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: UUID().uuidString, token: try await fleet.userToken())
            #expect(try await fleet.client("mobile-bff", replica: 0).send(transfer).status == 201)

            let text = try await metrics(fleet)
            for metric in ["otel_spans_dropped_total", "otel_spans_exported_total", "ledger_batch_size_bucket", "ledger_queue_rejected_total"] {
                #expect(text.contains("\n\(metric)"), "\(metric)")
            }
            let file = "\(fleet.folder)/metrics.txt"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            try await Shell.run(["/bin/bash", "-c", #"tool=$("$1") && "$tool" check metrics <"$2""#, "bash", Self.promtool, file])

            let log = { try String(contentsOfFile: replica.output, encoding: .utf8) }
            let isNoted = try await eventually { try log().contains("spans can't be delivered") }
            #expect(isNoted)
            let started = ContinuousClock.now
            #expect(replica.end(SIGTERM) == 0)
            #expect(ContinuousClock.now - started < .seconds(15))
            #expect(try !log().contains("hunter2"))
        }
    }

    @Test("with a collector that is up it gets the spans of the process, the last of them while it ends")
    func collectorUp() async throws {
        try await ScriptedServer.running(Array(repeating: .answer(200), count: 100)) { collector, port in
            try await LedgerFleet.with(replicas: 1) { fleet in
                let changes = [
                    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:\(port)", "OTEL_TRACES_SAMPLER": "always_on", "FLORIN_VERSION": "1.2.3",
                ]
                let replica = LedgerProcess(
                    environment: fleet.replicas[0].environment.merging(changes) { $1 }, adminPort: fleet.replicas[0].adminPort)
                try replica.start()
                try await fleet.ready(0)
                _ = try await fleet.openWallets(1, funds: 100)
                #expect(replica.end(SIGTERM) == 0)
            }
            var names: [String] = []
            for request in collector.received {
                let spans = try #require(try JSONParser.parse(request.body)["resourceSpans"]?[0])
                let resource = (spans["resource"]?["attributes"]?.arrayValue ?? []).map {
                    "\($0["key"]?.stringValue ?? "")=\($0["value"]?["stringValue"]?.stringValue ?? "")"
                }
                #expect(Set(resource).isSuperset(of: ["service.name=wallet-ledger", "service.version=1.2.3", "deployment.environment.name=local"]))
                names += (spans["scopeSpans"]?[0]?["spans"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
            }
            #expect(names.sorted() == ["POST /v1/deposits", "POST /v1/wallets", "ledger.batch"])
        }
    }
}
