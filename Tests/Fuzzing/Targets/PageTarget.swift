@testable import WalletLedger

/// The query of a page: one spelling of each limit and cursor.
enum PageTarget {
    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        let query = String(decoding: bytes, as: UTF8.self)
        guard let page = try? PageRequest(query: query) else { return }
        try BrokenProperty.unless((1...PageRequest.maximumLimit).contains(page.limit), "a limit of \(page.limit)")
        if query.contains("limit=") { try BrokenProperty.unless(query.contains("limit=\(page.limit)"), "another spelling of \(page.limit)") }
        if let before = page.before {
            try BrokenProperty.unless(query.contains(PageRequest.cursor(before: before)), "another spelling of a cursor")
        }
    }
}
