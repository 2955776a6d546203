package import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
package import Postgres
import StrictJSON

/// One thing that does not fit, by the kind of row and its name.
package struct VerifyFinding: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case entry, balance, transfer, key, outbox, refund, hold, total, statement, currency
    }

    package let kind: Kind
    /// The row: `wal_…/7` for an entry, an id otherwise.
    package let row: String
    package let text: String

    package var description: String { "\(kind.rawValue) \(row): \(text)" }

    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("kind", kind.rawValue)
            writer.member("row", row)
            writer.member("text", text)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// What a verification read and found.
package struct VerifyReport: Sendable, Hashable {
    package internal(set) var wallets = 0
    package internal(set) var transfers = 0
    package internal(set) var keys = 0
    package internal(set) var events = 0
    /// Wallets whose times stand still until the clock has passed them; see `TIMES.md`. No fault of the books.
    package internal(set) var walletsAhead = 0
    package internal(set) var aheadUntil: Timestamp?
    package internal(set) var findings: [VerifyFinding] = []

    package var summary: String {
        var counts = "\(wallets) wallets, \(transfers) transfers, \(keys) keys, \(events) events"
        if let aheadUntil { counts += ", \(walletsAhead) wallets ahead of the clock until \(aheadUntil)" }
        return findings.isEmpty ? "clean: \(counts)" : "\(findings.count) findings in \(counts)"
    }
}

/// Re-derives the ledger from its entries, in one REPEATABLE READ snapshot, page by page and without locks.
package struct VerifyLedger: Sendable {
    /// A ledger with more wrong rows than this is not helped by a longer list.
    static let maximumFindings = 1_000

    private let store = VerifyStore()

    package init() {}

    /// - Parameter progress: gets a line per ten pages.
    package func run(_ session: PostgresSession, progress: (String) -> Void = { _ in }) throws -> VerifyReport {
        let options = TransactionOptions(isolation: .repeatableRead, isReadOnly: true)
        return try session.transaction(options) { session in
            var report = VerifyReport()
            try verifyWallets(session, &report, progress)
            try verifyTransfers(session, &report, progress)
            try verifyKeys(session, &report, progress)
            try verifyEvents(session, &report, progress)
            report.findings += try store.refundFindings(session)
            report.findings += try store.holdFindings(session)
            report.findings += try store.totalFindings(session)
            (report.walletsAhead, report.aheadUntil) = try store.walletsAhead(session)
            report.findings = Array(report.findings.prefix(Self.maximumFindings))
            return report
        }
    }

    private func verifyWallets(_ session: PostgresSession, _ report: inout VerifyReport, _ progress: (String) -> Void) throws {
        var last: UUID?
        while let page = try store.walletPage(session, after: last) {
            report.wallets += page.count
            report.findings += try store.entryFindings(session, from: page.first, to: page.last)
            report.findings += try store.balanceFindings(session, from: page.first, to: page.last)
            report.findings += try store.statementFindings(session, from: page.first, to: page.last)
            report.findings += try store.currencyFindings(session, from: page.first, to: page.last)
            last = page.last
            progress("verified \(report.wallets) wallets")
        }
    }

    private func verifyTransfers(_ session: PostgresSession, _ report: inout VerifyReport, _ progress: (String) -> Void) throws {
        var last: UUID?
        while true {
            let page = try store.transferPage(session, after: last)
            guard let end = page.last else { return }
            for row in page where !row.fits {
                report.findings.append(VerifyFinding(kind: .transfer, row: row.id.description, text: "does not have its two entries"))
            }
            report.transfers += page.count
            last = end.id.uuid
            progress("verified \(report.transfers) transfers")
        }
    }

    /// A key's digest, its posting, and the request as the posting's row tells it.
    private func verifyKeys(_ session: PostgresSession, _ report: inout VerifyReport, _ progress: (String) -> Void) throws {
        var last: UUID?
        while true {
            let page = try store.keyPage(session, after: last)
            guard let end = page.last else { return }
            for row in page {
                guard let text = try fault(of: row, session) else { continue }
                report.findings.append(VerifyFinding(kind: .key, row: row.id.uuidString.lowercased(), text: text))
            }
            report.keys += page.count
            last = end.id
            progress("verified \(report.keys) keys")
        }
    }

    private func fault(of row: VerifyStore.KeyRow, _ session: PostgresSession) throws -> String? {
        let id = IdempotencyKey(caller: row.caller, principal: row.principal, key: row.key).id
        guard id == row.id else { return "is not the digest of its caller, principal and key" }
        guard let request = try? JSONParser.parse(row.fingerprint.text.string.utf8) else { return "its request can't be read" }
        switch row.outcome {
        case .refused, .walletOpened, .walletChanged, .batchTaken, .holdPlaced, .holdVoided:
            return row.subjectExists ? nil : "names a row that does not exist"
        case .batchPosted(let first, let count):
            let postings = try BatchStore().postings(session, (0..<count).map { first.batchItem($0) })
            let transfers = (0..<count).compactMap { postings[first.batchItem($0)] }.map { posting in
                TransferRequest(
                    sourceWalletID: posting.debit.walletID, destinationWalletID: posting.credit.walletID, money: posting.money,
                    reference: posting.reference)
            }
            return row.fingerprint == .atomicBatch(transfers) ? nil : "its request is not what the batch from \(first) did"
        case .posted(let id):
            guard let transfer = row.transfer else { return "names posting \(id), which does not exist" }
            guard transfer.keyID == row.id else { return "names posting \(id), which has another key" }
            // A refund or a capture without an amount is of all that is left.
            let mayLackAmount = transfer.kind == .refund || transfer.kind == .capture
            let amount = request["amount"].map { $0.integerValue == transfer.money.amountMinor } ?? mayLackAmount
            let currency = request["currency"].map { $0.stringValue == transfer.money.currency.code } ?? mayLackAmount
            let reference = request["reference"]?.stringValue == transfer.reference
            return amount && currency && reference && wallets(of: request, fit: transfer) ? nil : "its request is not what posting \(id) did"
        }
    }

    private func wallets(of request: JSONValue, fit transfer: VerifyStore.KeyedTransfer) -> Bool {
        let source = transfer.source.description
        let destination = transfer.destination.description
        switch transfer.kind {
        case .transfer: return request["source_wallet_id"]?.stringValue == source && request["destination_wallet_id"]?.stringValue == destination
        case .deposit: return request["wallet_id"]?.stringValue == destination
        case .withdrawal: return request["wallet_id"]?.stringValue == source
        case .refund: return request["id"]?.stringValue == transfer.originalID?.description
        case .capture: return request["id"]?.stringValue == transfer.holdID?.description
        }
    }

    /// Every posting's event says what its rows say, and no posting is without one.
    private func verifyEvents(_ session: PostgresSession, _ report: inout VerifyReport, _ progress: (String) -> Void) throws {
        var last: Int64 = 0
        while true {
            let page = try store.eventPage(session, after: last)
            guard let end = page.last else { break }
            for row in page where !row.fits {
                report.findings.append(
                    VerifyFinding(kind: .outbox, row: String(row.id), text: "does not say what \(row.subject) is"))
            }
            report.events += page.count
            last = end.id
            progress("verified \(report.events) events")
        }
        for id in try store.transfersWithoutEvent(session) {
            report.findings.append(VerifyFinding(kind: .outbox, row: id.description, text: "the posting has no event"))
        }
    }
}
