import Crypto
import CryptoExtras
import FoundationEssentials

/// How many passwords this machine hashes in a second when it does nothing else: by the function, and at the cost, that identity uses.
package struct ScryptLimit: Sendable {
    // As PASSWORD_HASH_COST has them by default.
    private static let logN = 14
    private static let r = 8
    private static let p = 5
    private static let saltBytes = 16
    private static let hashBytes = 32

    private let password: [UInt8]
    private let salt: [UInt8]

    package init(password: String) {
        var random = SystemRandomNumberGenerator()
        self.password = Array(password.utf8)
        salt = (0..<Self.saltBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    /// The password's hash as identity stores it.
    ///
    /// - Throws: what the library throws.
    package func phc() throws -> String {
        let hash = try derive().withUnsafeBytes { Array($0) }
        return "$scrypt$ln=\(Self.logN),r=\(Self.r),p=\(Self.p)$\(Self.text(salt))$\(Self.text(hash))"
    }

    /// Hashes on so many threads, at most as many as there are cores, until the time is over.
    ///
    /// - Returns: how many were done, and how long that took.
    package func measure(threads: Int, for limit: Duration) async -> (hashes: Int, seconds: Double) {
        let start = ProcessorTime.monotonic
        let end = ContinuousClock.now + limit
        let hashes = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<threads {
                group.addTask {
                    var count = 0
                    repeat {
                        guard (try? derive()) != nil else { break }
                        count += 1
                    } while ContinuousClock.now < end
                    return count
                }
            }
            return await group.reduce(0, +)
        }
        return (hashes, Double(ProcessorTime.monotonic - start) / 1e9)
    }

    private func derive() throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: password, salt: salt, outputByteCount: Self.hashBytes, rounds: 1 << Self.logN, blockSize: Self.r, parallelism: Self.p)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(Data(bytes).base64EncodedString().prefix { $0 != "=" }) }
}
