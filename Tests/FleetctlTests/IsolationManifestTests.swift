import Fleetctl
import Foundation
import Testing

@Suite("Isolation: manifests")
struct IsolationManifestTests {
    /// A workload with one container; its variables are lines of YAML below `env:`.
    private static func workload(
        _ kind: String, _ name: String, image: String, arguments: String = "serve", environment: String, more: String = "", pod: String = ""
    ) -> String {
        """
        apiVersion: apps/v1
        kind: \(kind)
        metadata: {name: \(name), namespace: florin}
        spec:
          template:
            spec:
              containers:
              - name: main
                image: registry/florin/\(image):1.0@sha256:00
                args: [\(arguments)]
        \(more)
                env:
        \(environment)
        \(pod)
        """
    }

    private static func reference(_ variable: String, _ secret: String, key: String = "url") -> String {
        "        - {name: \(variable), valueFrom: {secretKeyRef: {name: \(secret), key: \(key)}}}"
    }

    private static func value(_ variable: String, _ value: String) -> String { "        - {name: \(variable), value: '\(value)'}" }

    private static let serve = workload(
        "Deployment", "wallet-ledger", image: "wallet-ledger", environment: reference("LEDGER_DATABASE_URL", "wallet-ledger-serving"))
    private static let migrate = workload(
        "Job", "wallet-ledger-migrate", image: "wallet-ledger", arguments: "migrate",
        environment: reference("LEDGER_DATABASE_URL", "wallet-ledger-owner"))
    private static let relay = workload(
        "Deployment", "outbox-relay-wallet-ledger", image: "outbox-relay", arguments: "serve, --source, wallet-ledger",
        environment: reference("LEDGER_DATABASE_URL", "wallet-ledger-relay"))

    private func findings(_ documents: [String]) throws -> [FleetFinding] {
        var manifests = ManifestDocuments()
        try manifests.append(documents.joined(separator: "\n---\n"), file: "rendered.yaml")
        return IsolationCheck(ManifestReader.processes(manifests)).findings
    }

    @Test("a service, its migration and its relay with a Secret each are clean")
    func clean() throws {
        #expect(try findings([Self.serve, "# nothing", Self.migrate, Self.relay]).isEmpty)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let documents: [String]
        let expected: [String]
    }

    static let cases = [
        Case(
            testDescription: "a URL in plain text",
            documents: [
                workload(
                    "Deployment", "identity", image: "identity", environment: value("IDENTITY_DATABASE_URL", "postgres://identity:s3cret@db/i"))
            ], expected: ["identity plain_text_url -"]),
        Case(
            testDescription: "a URL in a ConfigMap",
            documents: [
                "kind: ConfigMap\nmetadata: {name: c, namespace: florin}\ndata: {IDENTITY_DATABASE_URL: 'postgres://identity:s3cret@db/i'}",
                workload(
                    "Deployment", "identity", image: "identity", environment: value("A", "b"),
                    more: "        envFrom: [{configMapRef: {name: c}}]"),
            ], expected: ["identity plain_text_url -"]),
        Case(
            testDescription: "no variable", documents: [workload("Deployment", "identity", image: "identity", environment: value("A", "b"))],
            expected: ["identity own_variable_missing -"]),
        Case(
            testDescription: "a Secret taken whole that is not shown may hold the variable",
            documents: [
                workload(
                    "Deployment", "identity", image: "identity", environment: value("A", "b"),
                    more: "        envFrom: [{secretRef: {name: identity}}]")
            ], expected: []),
        Case(
            testDescription: "a generic and another service's variable",
            documents: [
                workload(
                    "Deployment", "identity", image: "identity",
                    environment: [
                        reference("IDENTITY_DATABASE_URL", "identity"), reference("DATABASE_URL", "any"), value("PGUSER", "x"),
                        reference("OPS_RISK_DATABASE_URL", "ops-risk"),
                    ].joined(separator: "\n"))
            ],
            expected: ["identity connection_variable -", "identity foreign_variable ops-risk", "identity generic_variable -"]),
        Case(
            testDescription: "one Secret's key for two services",
            documents: [
                serve,
                workload("Deployment", "identity", image: "identity", environment: reference("IDENTITY_DATABASE_URL", "wallet-ledger-serving")),
            ], expected: ["identity shared_secret wallet-ledger"]),
        Case(
            testDescription: "a replica's Secret for another service",
            documents: [
                serve + "\n" + reference("LEDGER_REPLICA_DATABASE_URL", "wallet-ledger-replica"),
                workload("Deployment", "identity", image: "identity", environment: reference("IDENTITY_DATABASE_URL", "wallet-ledger-replica")),
            ], expected: ["identity shared_secret wallet-ledger"]),
        Case(
            testDescription: "a replica's Secret of its own",
            documents: [serve + "\n" + reference("LEDGER_REPLICA_DATABASE_URL", "wallet-ledger-replica"), migrate, relay], expected: []),
        Case(
            testDescription: "the replica's variable at another service",
            documents: [
                workload(
                    "Deployment", "identity", image: "identity",
                    environment: [reference("IDENTITY_DATABASE_URL", "identity"), reference("LEDGER_REPLICA_DATABASE_URL", "replica")]
                        .joined(separator: "\n"))
            ], expected: ["identity foreign_variable wallet-ledger"]),
        Case(
            testDescription: "one Secret, two keys",
            documents: [
                serve,
                workload(
                    "Deployment", "identity", image: "identity",
                    environment: reference("IDENTITY_DATABASE_URL", "wallet-ledger-serving", key: "identity")),
            ], expected: []),
        Case(
            testDescription: "another service's Secret, mounted",
            documents: [
                serve,
                workload(
                    "Deployment", "identity", image: "identity", environment: reference("IDENTITY_DATABASE_URL", "identity"),
                    more: "        volumeMounts: [{name: v, mountPath: /v}]",
                    pod: "      volumes: [{name: v, secret: {secretName: wallet-ledger-serving}}]"),
            ], expected: ["identity shared_secret wallet-ledger"]),
        Case(
            testDescription: "serve takes the Secret of migrate",
            documents: [
                serve.replacing("wallet-ledger-serving", with: "wallet-ledger-db"),
                migrate.replacing("wallet-ledger-owner", with: "wallet-ledger-db"),
            ], expected: ["wallet-ledger owner_role_in_serve -"]),
        Case(
            testDescription: "serve takes a Secret named after the owner",
            documents: [serve.replacing("wallet-ledger-serving", with: "wallet-ledger-owner")],
            expected: ["wallet-ledger owner_role_in_serve -"]),
        Case(
            testDescription: "a Deployment that migrates before it serves",
            documents: [
                workload(
                    "Deployment", "wallet-ledger", image: "wallet-ledger", arguments: "migrate",
                    environment: reference("LEDGER_DATABASE_URL", "wallet-ledger-owner"))
            ], expected: ["wallet-ledger owner_secret_in_deployment -"]),
        Case(
            testDescription: "not strict in production",
            documents: [
                serve + "\n" + value("DATABASE_ISOLATION_MODE", "warn"),
                workload(
                    "Deployment", "identity", image: "identity",
                    environment: [
                        reference("IDENTITY_DATABASE_URL", "identity"), value("DATABASE_ISOLATION_MODE", "warn"),
                        value("FLORIN_ENVIRONMENT", "staging"),
                    ].joined(separator: "\n")),
            ], expected: ["wallet-ledger isolation_not_strict -"]),
        Case(
            testDescription: "the relay with the Secret of serve, whose values are shown",
            documents: [
                serve, relay.replacing("wallet-ledger-relay", with: "wallet-ledger-serving"),
                "kind: Secret\nmetadata: {name: wallet-ledger-serving, namespace: florin}\nstringData: {url: 'postgres://wallet_ledger:s3cret@db/w'}",
            ], expected: ["wallet-ledger shared_role -"]),
        Case(
            testDescription: "two services' Secrets that lead to one database",
            documents: [
                "kind: List\nitems: [{kind: Secret, metadata: {name: wallet-ledger-serving, namespace: florin}, "
                    + "data: {url: cG9zdGdyZXM6Ly9sQGRiL3g=}}]",
                "kind: Secret\nmetadata: {name: identity, namespace: florin}\nstringData: {url: 'postgres://i@db/x'}",
                serve, workload("Deployment", "identity", image: "identity", environment: reference("IDENTITY_DATABASE_URL", "identity")),
            ], expected: ["wallet-ledger same_database identity"]),
        Case(
            testDescription: "a stranger with a service's variable, and one with variables of its own",
            documents: [
                workload("Deployment", "grafana", image: "grafana", environment: reference("LEDGER_DATABASE_URL", "wallet-ledger-serving")),
                workload("StatefulSet", "postgres", image: "postgres", environment: value("PGUSER", "postgres")),
            ], expected: ["- foreign_variable wallet-ledger"]),
    ]

    @Test("each violation is named, and what is allowed is not", arguments: cases)
    func violations(_ example: Case) throws {
        let found = try findings(example.documents)
        #expect(summaries(found) == example.expected)
        #expect(found.allSatisfy { !$0.detail.contains("s3cret") })
    }

    @Test(
        "sidecars, init containers, poolers and the operators' tool are not taken for the service that they stand beside",
        arguments: [
            serve.replacing("      containers:", with: "      containers:\n      - {name: collector, image: 'otel/collector:1'}"),
            serve.replacing("      containers:", with: "      initContainers: [{name: wait, image: 'busybox:1'}]\n      containers:"),
            workload("Deployment", "wallet-ledger-pgbouncer", image: "pgbouncer", environment: value("PGUSER", "pooler")),
            workload("CronJob", "check", image: "fleetctl", environment: reference("LEDGER_DATABASE_URL", "wallet-ledger-serving")),
        ])
    func neighbours(document: String) throws {
        #expect(try findings([document]).isEmpty)
    }

    @Test(
        "a service is known by its command, its image, its label or its name",
        arguments: [
            serve, serve.replacing("florin/wallet-ledger", with: "florin/all").replacing("[serve]", with: "[/app/wallet-ledger, serve]"),
            serve.replacing("florin/wallet-ledger", with: "florin/all"),
            serve.replacing("florin/wallet-ledger", with: "florin/all").replacing(
                "{name: wallet-ledger,", with: "{name: w, labels: {app.kubernetes.io/name: wallet-ledger},"),
        ])
    func services(document: String) throws {
        let found = try findings([document.replacing("LEDGER_DATABASE_URL", with: "OTHER")])
        #expect(summaries(found) == ["wallet-ledger own_variable_missing -"])
    }

    @Test("a folder is read whole, and one that has yet to be rendered is refused")
    func folders() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "florin-manifests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "jobs"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ text: String, _ name: String) throws {
            try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
        }
        try write(Self.serve, "serve.yaml")
        try write(Self.migrate, "jobs/migrate.yml")
        try write("{not yaml", "notes.txt")
        #expect(try ManifestReader.processes(path: folder.path).map(\.kind) == [.migrate, .serve])
        #expect(try ManifestReader.processes(path: folder.appending(path: "serve.yaml").path).map(\.kind) == [.serve])
        try write("resources: []", "jobs/kustomization.yaml")
        #expect(throws: ManifestDocuments.Unreadable.self) { try ManifestReader.processes(path: folder.path) }
        #expect(throws: ManifestDocuments.Unreadable.self) { try ManifestReader.processes(path: folder.appending(path: "none").path) }
    }

    @Test("what is not YAML is refused by its file and line, never quoted")
    func malformed() {
        #expect {
            try findings(["kind: Secret\nstringData: {url: 's3cret"])
        } throws: {
            "\($0)".hasPrefix("rendered.yaml: not YAML") && !"\($0)".contains("s3cret")
        }
    }
}
