/// Whole numbers as people and programs outside write them.
///
/// `Int("+1")` and `Int("01")` are numbers to Swift. In a query, a header or a setting they are a second spelling of one, which an inner
/// service may read otherwise, and are refused: decimal digits only, without a sign, and zero only as `0`.
package enum DecimalDigits {
    package static func number<Number: FixedWidthInteger>(_ text: some StringProtocol, as: Number.Type = Number.self) -> Number? {
        let digits = text.utf8
        guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0"),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Number(text)
    }
}
