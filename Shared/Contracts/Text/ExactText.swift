import StrictJSON

/// A text that is the same as another when their bytes are, as in Postgres and in every other service.
///
/// `String ==` takes canonically equivalent texts for the same: `é` and `e` with an accent, KELVIN SIGN and `K`. What decides whether two
/// requests, references or names are one and the same is compared as this. Two texts of ASCII
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

    package func hash(into hasher: inout Hasher) { string.hashBytes(into: &hasher) }
}
