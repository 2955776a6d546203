import ArgumentParser
import Contracts
import FoundationEssentials
import RequestSigning
import ServiceRuntime

/// `fleetctl load ledger`, or `fleetctl load` alone.
struct LoadLedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Put wallet-ledger under load and print one line of JSON.",
        discussion: """
            Requests are signed and serialised before the clock starts, each with its own key and nonce. Only complete answers count, and \
            every id is looked up afterwards. Exit codes: 1 a transfer was not found, a connection was lost, or nothing was posted, 3 wallet-ledger \
            cannot be reached, 64 wrong usage.
            """)

    /// Signatures live 30 s from their signing on; a run has to end well before.
    private static let maximumSeconds = 15
    private static let maximumConnections = 1_024
    private static let maximumRequests = 1_000_000
    /// So many look-ups are signed at a time, few enough to be sent while their signatures live.
    private static let lookupsAtOnce = 25_000
    private static let lookupConnections = 16
    private static let callee = "wallet-ledger"

    @Option(help: "URL of wallet-ledger: http://host:port.")
    var url: String

    @Option(help: "Connections, each with one request in flight.")
    var connections: Int = 64

    @Option(help: "Transfers per request: 1, or a batch of up to 500.")
    var batch: Int = 1

    @Option(help: "Batch mode: atomic or independent.")
    var batchMode: String = TransferBatchMode.atomic.rawValue

    @Option(help: "How long new requests are sent, in seconds, at most 15.")
    var seconds: Int = 5

    @Option(help: "Requests signed for each second; when they run out, the run ends early and says so.")
    var signedPerSecond: Int = 20_000

    @Option(help: "Requests per second, sent evenly however long responses take; without it each connection sends when it has its response.")
    var rate: Int?

    @Option(help: ArgumentHelp("The wallets, one id a line.", valueName: "file"))
    var wallets: String

    @Flag(help: "Always credit the first wallet.")
    var hot = false

    @Option(help: "The amount of every transfer, in minor units.")
    var amount: Int64 = 1

    @Option(help: "The currency of the wallets.")
    var currency: String = "EUR"

    @Option(help: "The calling service, whose key signs the requests.")
    var caller: String = "mobile-bff"

    @Option(help: ArgumentHelp("Folder of <caller>.keys.json.", valueName: "folder"))
    var keysDirectory: String

    @Option(help: ArgumentHelp("The file that holds the access token.", valueName: "file"))
    var tokenFile: String

    @Option(help: ArgumentHelp("A process whose processor time, with that of its children, is reported too; repeatable.", valueName: "pid"))
    var measure: [Int] = []

    func validate() throws {
        guard (1...Self.maximumSeconds).contains(seconds) else { throw ValidationError("--seconds is from 1 to \(Self.maximumSeconds)") }
        guard (1...Self.maximumConnections).contains(connections) else {
            throw ValidationError("--connections is from 1 to \(Self.maximumConnections)")
        }
        guard signedPerSecond > 0, signedPerSecond <= Self.maximumRequests / seconds else {
            throw ValidationError("--signed-per-second times --seconds is from 1 to \(Self.maximumRequests)")
        }
        guard rate.map({ (1...Self.maximumRequests / seconds).contains($0) }) ?? true else {
            throw ValidationError("--rate times --seconds is from 1 to \(Self.maximumRequests)")
        }
        guard (1...TransferBatchRequest.maximumItems).contains(batch) else {
            throw ValidationError("--batch is from 1 to \(TransferBatchRequest.maximumItems)")
        }
        _ = try mode()
        _ = try money()
    }

    func run() async throws {
        let target: LoadTarget
        let signer: LoadRequestSigner
        let pairs: LoadWallets
        do {
            target = try LoadTarget(url: url)
            pairs = try LoadWallets(path: wallets, pattern: hot ? .hot : .random)
            let keys = try SigningKeyStore(path: SigningKeyFolder(path: keysDirectory).path(of: caller))
            signer = LoadRequestSigner(
                signer: RequestSigner(keys: keys, callee: Self.callee, lifetime: SignatureProfile.maximumLifetimeSeconds),
                authority: target.authority, token: try token())
        } catch {
            throw ValidationError("\(error)")
        }
        try await ProcessExit.ending("fleetctl load ledger") {
            let (outcome, measured) = try await post(pairs, to: target, signedBy: signer)
            let found = try await lookUp(outcome.writtenTransferIDs, on: target, signedBy: signer)
            let report = LoadReport(outcome, found: found, transfersPerRequest: batch, measuredNanoseconds: measured)
            print(report)
            return report.isSound ? .success : .failure
        }.exit()
    }

    private func post(
        _ wallets: LoadWallets, to target: LoadTarget, signedBy signer: LoadRequestSigner
    ) async throws -> (LoadOutcome, measured: [UInt64]) {
        let (money, mode, items) = (try money(), try mode(), batch)
        let created = Self.now
        let requests = try await signer.bytes(count: (rate ?? signedPerSecond) * seconds) { _, generator throws(RequestSigner.Failure) in
            if items > 1 {
                let pairs = (0..<items).map { _ in wallets.pair(using: &generator) }
                return try signer.batch(mode, pairs, money: money, created: created, using: &generator)
            }
            let (source, destination) = wallets.pair(using: &generator)
            return try signer.transfer(from: source, to: destination, money: money, created: created, using: &generator)
        }
        guard Self.now + Int64(seconds) < created + SignatureProfile.maximumLifetimeSeconds else {
            throw InvalidConfiguration(key: "--signed-per-second", "signing took so long that signatures would expire during the run: lower it")
        }
        let before = measure.map(ProcessorTime.used(byTreeOf:))
        let outcome = try await target.run(
            requests, connections: connections, limit: .seconds(seconds), rate: rate,
            expectedStatus: batch > 1 && mode == .independent ? 200 : 201, transfersPerRequest: batch)
        let after = measure.map(ProcessorTime.used(byTreeOf:))
        return (outcome, zip(before, after).map { $1 > $0 ? $1 - $0 : 0 })
    }

    /// How many of the ids, each counted once, the service answers for.
    private func lookUp(_ ids: [String], on target: LoadTarget, signedBy signer: LoadRequestSigner) async throws -> Int {
        let different = Array(Set(ids))
        var found = 0
        for start in stride(from: 0, to: different.count, by: Self.lookupsAtOnce) {
            let part = different[start..<min(start + Self.lookupsAtOnce, different.count)]
            let created = Self.now
            let requests = try await signer.bytes(count: part.count) { index, generator throws(RequestSigner.Failure) in
                try signer.lookup(part[part.startIndex + index], created: created, using: &generator)
            }
            let outcome = try await target.run(
                requests, connections: Self.lookupConnections, limit: .seconds(SignatureProfile.maximumLifetimeSeconds), expectedStatus: 200)
            found += outcome.statuses[200] ?? 0
        }
        return found
    }

    private func mode() throws(ValidationError) -> TransferBatchMode {
        guard let mode = TransferBatchMode(rawValue: batchMode) else { throw ValidationError("--batch-mode is atomic or independent") }
        return mode
    }

    private func money() throws(ValidationError) -> Money {
        guard let currency = Currency(currency) else { throw ValidationError("--currency is not a known currency") }
        guard let money = Money(amountMinor: amount, currency: currency) else { throw ValidationError("--amount is out of range") }
        return money
    }

    private func token() throws(ValidationError) -> String {
        guard let bytes = FileManager.default.contents(atPath: tokenFile) else { throw ValidationError("\(tokenFile) cannot be read") }
        let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard text.count == 1 else { throw ValidationError("\(tokenFile) does not hold one token") }
        return String(text[0])
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970) }
}
