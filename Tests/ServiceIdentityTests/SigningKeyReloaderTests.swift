import Crypto
import Foundation
import Logging
import Observability
import RequestSigning
import ServiceIdentity
import TestSupport
import Testing

@Suite("Re-reading the signing keys")
struct SigningKeyReloaderTests {
    private let folder: SigningKeyFolder

    init() throws {
        folder = SigningKeyFolder(path: NSTemporaryDirectory() + "florin-reloader-\(UUID().uuidString)")
    }

    private static func keys(_ callers: [String]) throws -> SigningKeys {
        let inbound = callers.enumerated().map { index, caller in
            SigningKeys.Inbound(
                caller: caller, key: SigningKey(keyID: "\(caller)-\(index)", secret: SymmetricKey(size: .bits256), notBefore: 0, notAfter: nil))
        }
        return try SigningKeys(service: "wallet-ledger", outbound: [], inbound: inbound)
    }

    @Test("keys are taken over and counted by caller; a file that can't be used keeps them, is counted at each look and logged once")
    func reload() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        let path = try folder.write([Self.keys(["mobile-bff", "backoffice"])], replacing: false)[0]
        let store = try SigningKeyStore(path: path)
        let capture = try LogCapture()
        let registry = PrometheusRegistry()
        let reloader = SigningKeyReloader(keys: store, logger: capture.logger(), metrics: registry)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reloader.run() }
            #expect(try await eventually(within: .seconds(30)) { registry.render().contains(#"signing_keys_inbound{caller="mobile-bff"} 1"#) })
            #expect(registry.render().contains("signing_keys_reload_failures_total 0"))

            try folder.replace(Self.keys(["mobile-bff", "mobile-bff"]))
            #expect(try await eventually(within: .seconds(30)) { registry.render().contains(#"signing_keys_inbound{caller="mobile-bff"} 2"#) })
            #expect(registry.render().contains(#"signing_keys_inbound{caller="backoffice"} 0"#))

            try Data("{".utf8).write(to: URL(fileURLWithPath: path))
            #expect(try await eventually(within: .seconds(30)) { registry.render().contains("signing_keys_reload_failures_total 2") })
            #expect(store.current.inbound.count == 2)
            #expect(capture.text().components(separatedBy: "signing keys can't be read").count == 2)

            try folder.replace(Self.keys(["mobile-bff"]))
            #expect(try await eventually(within: .seconds(30)) { store.current.inbound.count == 1 })
            group.cancelAll()
        }
    }
}
