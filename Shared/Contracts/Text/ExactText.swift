/// A text that is the same as another when their bytes are, as in Postgres and in every other service.
///
/// `String ==` takes canonically equivalent texts for the same: `é` and `e` with an accent, KELVIN SIGN and `K`. What decides whether two
/// requests, references or names are one and the same is compared as this, or by ``Swift/String/hasSameBytes(as:)``. Two texts of ASCII
/// are equivalent only when they are the same, so names of our own and what is known to be ASCII (ids, tokens' names, keys) need no care.
package struct ExactText: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    package let string: String

    package init(_ string: String) {
        self.string = string
    }

    package init(stringLiteral string: String) {
        self.string = string
    }

    package var description: String { string }

    package static func == (left: Self, right: Self) -> Bool { left.string.hasSameBytes(as: right.string) }

    package func hash(into hasher: inout Hasher) {
        var string = string
        string.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No UTF-8 has this byte, so that two texts side by side are not two others.
        hasher.combine(0xFF as UInt8)
    }
}

extension String {
    package func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        let areSame = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in left.elementsEqual(right) }
        }
        if let areSame = areSame ?? nil { return areSame }
        return utf8.elementsEqual(other.utf8)
    }
}
