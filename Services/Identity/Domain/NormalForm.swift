@_spi(_Unicode) import Swift

extension String {
    /// Normalization Form C (Unicode Standard Annex 15): one spelling for texts that look the same.
    ///
    /// The standard library has it for its own comparisons; FoundationEssentials offers none.
    var inNormalFormC: String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: _nfc)
        return String(scalars)
    }
}
