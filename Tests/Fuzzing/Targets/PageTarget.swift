import Contracts
import Foundation
import HTTPService

@testable import WalletLedger

/// The query of a list: one spelling of each cursor, bounds that hold, times that are read as they are shown.
enum PageTarget {
    private static let list = PageList(route: "transfers", principal: "client:bank", subject: "wal_1")

    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        let query = String(decoding: bytes, as: UTF8.self)
        if let time = Timestamp(rfc3339: query, rounding: .down) {
            try BrokenProperty.unless(Timestamp(rfc3339: "\(time)", rounding: .down) == time, "\(time) is not read as it is shown")
        }
        guard let reader = try? QueryReader(query, known: ["from", "to", "kind", "reference", "wallet_id"]) else { return }
        if let limit = try? reader.limit() { try BrokenProperty.unless((1...QueryReader.maximumLimit).contains(limit), "a limit of \(limit)") }
        if let period = try? reader.period(), let from = period.from, let to = period.to {
            try BrokenProperty.unless(from <= to, "a period that ends before it begins")
        }
        if let reference = try? reader.reference() {
            try BrokenProperty.unless(!reference.utf8.contains { $0 < 0x20 }, "a reference with a control character")
        }
        _ = try? (reader.kind(), reader.identifier("wallet_id", as: WalletKind.self))
        for fields in 1...2 { try checkCursor(reader, query, fields) }
    }

    private static func checkCursor(_ reader: QueryReader, _ query: String, _ fields: Int) throws(BrokenProperty) {
        // Its own cursor is taken back, and no other text says the same.
        let position = [UInt64](repeating: 7, count: fields)
        if let own = reader.cursor(after: position, of: list) {
            let again = PageCursor(own, binding: PageCursor.binding("another"), fields: fields)
            try BrokenProperty.unless(again == nil, "a cursor of another query is taken")
        }
        guard let found = try? reader.cursor(of: list, fields: fields), let text = reader.cursor(after: found, of: list) else { return }
        try BrokenProperty.unless(query.removingPercentEncoding?.contains("cursor=\(text)") ?? false, "a second spelling of \(text)")
    }
}
