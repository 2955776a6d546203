import AccessTokens
import Crypto
import Foundation
import HTTPTypes
import Logging
import RequestSigning
import ServiceClient
import ServiceIdentity
import ServiceRuntime
import TestSupport
import Testing

@Suite("Rotation of signing keys, on a running fleet")
struct KeyRotationFleetTests {
    /// Runs one stage over a folder.
    @discardableResult
    private static func rotate(_ stage: String, _ folder: String, _ more: [String] = []) throws -> (code: Int32, output: String) {
        let arguments = ["keys", "rotate", "--directory", folder, "--propagation", "2s", "--stage", stage] + more
        return try LedgerProcess.run(arguments, of: LedgerProcess.fleetctl, environment: [:])
    }

    @Test("add, switch and drop under traffic: not one request is refused, and then the old key is")
    func underTraffic() async throws {
        try await LedgerFleet.with(replicas: 1) { fleet in
            try fleet.replicas[0].start()
            try await fleet.ready(0)
            let wallets = try await fleet.openWallets(2, funds: 1_000_000)
            let token = try await fleet.userToken()
            let former = try SigningKeyStore(path: SigningKeyFolder(path: fleet.folder).path(of: "mobile-bff"))
            let callers = try await Self.callers(of: fleet, wallets: wallets, userToken: token)

            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in callers {
                    group.addTask { try await SigningKeyReloader(keys: caller.keys, logger: Logger(label: "test")).run() }
                    group.addTask { await caller.run() }
                }
                #expect(try await eventually(within: .seconds(30)) { callers.allSatisfy { $0.answered > 20 } })
                #expect(try Self.rotate("add", fleet.folder).code == 0)
                #expect(
                    try await eventually(within: .seconds(30)) {
                        try await fleet.metrics(0).contains(#"signing_keys_inbound{caller="mobile-bff"} 2"#)
                    })
                try await Self.wait(for: "switch", fleet.folder)
                #expect(try await eventually(within: .seconds(30)) { callers.allSatisfy { $0.hasChangedKey } })
                let early = try Self.rotate("drop", fleet.folder)
                #expect(early.code == 1 && early.output.contains("--stage drop is safe in "), "\(early.output)")
                #expect(try await Self.isAccepted(former, fleet, wallets[0], token))
                // Every request here is sent as soon as it is signed, so that those under the old key are over.
                #expect(try Self.rotate("drop", fleet.folder, ["--force"]).code == 0)
                #expect(try await eventually(within: .seconds(30)) { try await !Self.isAccepted(former, fleet, wallets[0], token) })
                let answered = callers.map(\.answered)
                #expect(try await eventually(within: .seconds(30)) { zip(callers, answered).allSatisfy { $0.answered > $1 + 20 } })
                group.cancelAll()
            }
            for caller in callers { #expect(caller.refusals.isEmpty, "\(caller.name): \(caller.refusals.prefix(3))") }
        }
    }

    /// Repeats a stage until it is no longer too early.
    private static func wait(for stage: String, _ folder: String) async throws {
        let isDone = try await eventually(within: .seconds(30), every: .milliseconds(250)) {
            let run = try rotate(stage, folder)
            try #require(run.code == 0 || (run.code == 1 && run.output.contains("is safe in")), "\(run.output)")
            return run.code == 0
        }
        #expect(isDone)
    }

    private static func callers(of fleet: LedgerFleet, wallets: [String], userToken: String) async throws -> [SteadyCaller] {
        let address = try fleet.address(0)
        let bankToken = try await fleet.issuer.token(for: .client("bank"), scopes: ["ledger:read"], lifetime: 3_600, now: LedgerFleet.seconds())
        let read: @Sendable (String) -> ServiceRequest = { token in
            ServiceRequest(
                method: "GET", target: "/v1/wallets/\(wallets[0])", deadline: .now + .seconds(20), authorization: "Bearer \(token)")
        }
        let transfer: @Sendable () -> ServiceRequest = {
            LedgerFleet.transfer(from: wallets[0], to: wallets[1], key: UUID().uuidString, token: userToken)
        }
        return [
            try SteadyCaller("mobile-bff", fleet, address) { read(userToken) }, try SteadyCaller("mobile-bff", fleet, address, transfer),
            try SteadyCaller("mobile-bff", fleet, address, transfer), try SteadyCaller("api-gateway", fleet, address) { read(bankToken) },
        ]
    }

    /// Whether the ledger still takes a key; anything but a good answer and an invalid signature is neither.
    private static func isAccepted(_ keys: SigningKeyStore, _ fleet: LedgerFleet, _ wallet: String, _ token: String) async throws -> Bool {
        let client = try fleet.client(keys, fleet.address(0))
        let answer = try await client.send(
            ServiceRequest(method: "GET", target: "/v1/wallets/\(wallet)", deadline: .now + .seconds(20), authorization: "Bearer \(token)"))
        if answer.status == 200 { return true }
        try #require(answer.status == 401 && String(decoding: answer.body, as: UTF8.self).contains("signature_invalid"))
        return false
    }

    @Test("a stage killed between two files leaves every pair usable, and is completed when it is repeated", arguments: ["add", "switch", "drop"])
    func killedBetweenFiles(stage: String) async throws {
        let folder = SigningKeyFolder(path: NSTemporaryDirectory() + "florin-rotation-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        // A ring: each stage has three files to replace.
        let pairs = [("a", "b"), ("b", "c"), ("c", "a")].map { SigningKeyGenerator.Pair(caller: $0.0, callee: $0.1) }
        var generator = SystemRandomNumberGenerator()
        _ = try folder.write(SigningKeyGenerator.generate(pairs: pairs, now: LedgerFleet.seconds(), using: &generator), replacing: false)
        for earlier in ["add", "switch", "drop"].prefix(while: { $0 != stage }) {
            #expect(try Self.rotate(earlier, folder.path, ["--force"]).code == 0)
        }
        let before = try Self.contents(folder)

        let pipe = try FullPipe()
        let process = LedgerProcess(LedgerProcess.fleetctl, environment: [:], adminPort: 0, output: pipe.path)
        try process.start(["keys", "rotate", "--directory", folder.path, "--propagation", "2s", "--force", "--stage", stage])
        // It stops at the line about the first file, for which there is no room.
        #expect(try await eventually(within: .seconds(30)) { try Self.contents(folder) != before })
        #expect(try Self.rotate(stage, folder.path, ["--force"]).output.contains("another process is changing the keys"))
        #expect(process.end(SIGKILL) == 128 + SIGKILL)
        #expect(zip(try Self.contents(folder), before).count { $0 != $1 } == 1)
        try Self.expectUsable(pairs, folder)

        let completed = try Self.rotate(stage, folder.path, ["--force"])
        #expect(completed.code == 0 && completed.output.contains("\(stage): 2 of 3 pairs changed"), "\(completed.output)")
        try Self.expectUsable(pairs, folder)
        let repeated = try Self.rotate(stage, folder.path)
        #expect(repeated.code == 0 && repeated.output.contains("\(stage): nothing to do"), "\(repeated.output)")
    }

    private static func contents(_ folder: SigningKeyFolder) throws -> [Data] {
        try ["a", "b", "c"].map { try Data(contentsOf: URL(fileURLWithPath: folder.path(of: $0))) }
    }

    private static func expectUsable(_ pairs: [SigningKeyGenerator.Pair], _ folder: SigningKeyFolder) throws {
        let now = LedgerFleet.seconds()
        for pair in pairs {
            let signer = RequestSigner(keys: try SigningKeyStore(path: folder.path(of: pair.caller)), callee: pair.callee)
            var request = SignableRequest(method: "GET", authority: "x", target: "/", headerFields: [:])
            try signer.sign(&request, body: nil, created: now)
            let verifier = RequestVerifier(
                keys: try SigningKeyStore(path: folder.path(of: pair.callee)), replayWindow: InProcessReplayWindow(startedAt: 0))
            #expect((try? verifier.verifyHead(request, now: now) { $0 == pair.caller }) != nil, "\(pair)")
        }
    }

    @Test("what cannot be done is one line, its exit code, and no change")
    func refusals() throws {
        let folder = SigningKeyFolder(path: NSTemporaryDirectory() + "florin-rotation-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: folder.path) }
        func expect(_ code: Int32, _ text: String, _ stage: String, _ more: [String] = []) throws {
            let run = try Self.rotate(stage, folder.path, more)
            #expect(run.code == code && run.output.contains(text), "\(run.code) \(run.output)")
        }
        try expect(64, "cannot be listed", "add")
        var generator = SystemRandomNumberGenerator()
        let pair = SigningKeyGenerator.Pair(caller: "mobile-bff", callee: "wallet-ledger")
        let keys = try SigningKeyGenerator.generate(pairs: [pair], now: LedgerFleet.seconds(), using: &generator)
        _ = try folder.write(keys, replacing: false)
        try expect(64, "out of order", "switch")
        try expect(64, "is not caller:callee", "add", ["--pair", "mobile-bff"])
        try expect(64, "there is no key of a:b", "add", ["--pair", "a:b"])
        try expect(64, "--propagation is a duration", "add", ["--propagation", "1s"])
        try expect(64, "stage", "rotate")
        try expect(0, #""changed":true"#, "add", ["--json", "--pair", "mobile-bff:wallet-ledger"])
        try expect(1, "--stage switch is safe in ", "switch")
        let secret = try #require(keys[0].outbound.first?.key.secret.withUnsafeBytes { Data($0).base64EncodedString() })
        try Data("{\"service\": \"\(secret)".utf8).write(to: URL(fileURLWithPath: folder.path(of: "mobile-bff")))
        try expect(64, "mobile-bff.keys.json: keys file: whole file: the file is not JSON", "add")
        #expect(try !Self.rotate("add", folder.path).output.contains(secret))
    }
}

/// A pipe with a name that has room for nothing: who writes to it stops there.
private final class FullPipe {
    let path = NSTemporaryDirectory() + "florin-pipe-\(UUID().uuidString)"
    private let descriptor: Int32

    init() throws {
        guard mkfifo(path, 0o600) == 0 else { throw POSIXError(.EIO) }
        descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw POSIXError(.EIO) }
        let page = [UInt8](repeating: 0, count: 4_096)
        while write(descriptor, page, page.count) > 0 {}
    }

    deinit {
        close(descriptor)
        unlink(path)
    }
}
