// Texts by their bytes. `String ==` takes canonically equivalent texts for the same: `é` and `e` with an accent, KELVIN SIGN and `K`.
extension String {
    package func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        let areSame = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in left.elementsEqual(right) }
        }
        if let areSame = areSame ?? nil { return areSame }
        return utf8.elementsEqual(other.utf8)
    }

    /// Hashes the text so that two have one hash when their bytes are the same.
    package func hashBytes(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No UTF-8 has this byte, so that two texts side by side are not two others.
        hasher.combine(0xFF as UInt8)
    }
}
