import Contracts

/// Identifiers have one spelling.
enum IdentifierTarget {
    static func run(_ bytes: [UInt8]) throws(BrokenProperty) {
        let text = String(decoding: bytes, as: UTF8.self)
        if let id = WalletID(text) { try BrokenProperty.unless(id.description == text, "a second spelling of \(id)") }
        if let id = TransferID(text) {
            try BrokenProperty.unless(id.description == text, "a second spelling of \(id)")
            try BrokenProperty.unless(WalletID(text) == nil, "of two kinds at once")
        }
        if let id = UserID("usr_" + text) { try BrokenProperty.unless(id.description == "usr_" + text, "a second spelling of \(id)") }
        if let currency = Currency(text) { try BrokenProperty.unless(currency.code == text, "a second spelling of \(currency.code)") }
    }
}
