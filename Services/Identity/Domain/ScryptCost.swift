import Contracts

/// How much work scrypt does (RFC 7914), which is what a guess at a stolen hash costs.
package struct ScryptCost: Sendable, Hashable, CustomStringConvertible {
    /// N = 2^14, r = 8, p = 5: of the settings that OWASP takes for equally strong, the one with 16 MiB.
    package static let standard = ScryptCost(uncheckedLogN: 14, r: 8, p: 5)
    /// No more memory than this is taken for one hash, whoever wrote its parameters.
    private static let maximumMemory = 128 << 20
    private static let maximumParallelism = 16

    /// N, the number of rounds, is 2 to the power of this.
    package let logN: Int
    package let r: Int
    package let p: Int

    private init(uncheckedLogN logN: Int, r: Int, p: Int) {
        self.logN = logN
        self.r = r
        self.p = p
    }

    /// - Returns: nil for a cost that takes too much memory or time to be read from anywhere.
    package init?(logN: Int, r: Int, p: Int) {
        guard (1...20).contains(logN), (1...32).contains(r), (1...Self.maximumParallelism).contains(p) else { return nil }
        guard 128 * r << logN <= Self.maximumMemory else { return nil }
        self.init(uncheckedLogN: logN, r: r, p: p)
    }

    /// As it is written: `ln=14,r=8,p=5`.
    package init?(_ text: some StringProtocol) {
        let names = ["ln", "r", "p"]
        let pairs = text.split(separator: ",", omittingEmptySubsequences: false)
        guard pairs.count == names.count else { return nil }
        var values: [Int] = []
        for (pair, name) in zip(pairs, names) {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, sides[0] == name, let value = DecimalDigits.number(sides[1], as: Int.self) else { return nil }
            values.append(value)
        }
        self.init(logN: values[0], r: values[1], p: values[2])
    }

    package var description: String { "ln=\(logN),r=\(r),p=\(p)" }

    /// What one hash does, in blocks of 128 bytes.
    private var work: Int { r * p << logN }

    /// Whether it is enough outside of tests: no less memory and no less work than the standard.
    package var isStrong: Bool { r << logN >= Self.standard.r << Self.standard.logN && work >= Self.standard.work }
}
