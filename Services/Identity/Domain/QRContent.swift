/// The codewords of a QR code (ISO/IEC 18004): a text in byte mode with error correction of level M, which mends 15 %.
struct QRContent: Sendable {
    /// By version, from 1: how many blocks there are, and how many of the codewords of each are for error correction (table 9, level M).
    private static let blockCounts = [
        1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47,
        49,
    ]
    private static let correctionCounts = [
        10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        28, 28, 28, 28, 28,
    ]
    private static let byteMode = 0b0100
    private static let padding: [UInt8] = [0xEC, 0x11]

    /// From 1 to 40; the code has 17 + 4 × version modules on a side.
    let version: Int
    /// Data and error correction of all blocks, interleaved.
    let codewords: [UInt8]

    /// - Returns: nil for a text that is longer than the largest code holds, 2 331 bytes.
    init?(_ bytes: [UInt8]) {
        guard let version = (1...40).first(where: { Self.capacity($0) >= bytes.count }) else { return nil }
        self.version = version
        codewords = Self.interleaved(Self.data(bytes, version), version)
    }

    /// How many modules are left for codewords beside the patterns (and, below 8, a few that are none).
    private static func modules(_ version: Int) -> Int {
        let alignments = version == 1 ? 0 : version / 7 + 2
        var modules = (16 * version + 128) * version + 64
        if alignments > 0 { modules -= (25 * alignments - 10) * alignments - 55 }
        if version >= 7 { modules -= 36 }
        return modules
    }

    private static func dataCount(_ version: Int) -> Int {
        modules(version) / 8 - blockCounts[version - 1] * correctionCounts[version - 1]
    }

    private static func lengthBits(_ version: Int) -> Int { version < 10 ? 8 : 16 }

    /// In bytes of text.
    private static func capacity(_ version: Int) -> Int { (dataCount(version) * 8 - 4 - lengthBits(version)) / 8 }

    private static func data(_ bytes: [UInt8], _ version: Int) -> [UInt8] {
        var bits: [Bool] = []
        func append(_ value: Int, _ count: Int) {
            for bit in stride(from: count - 1, through: 0, by: -1) { bits.append(value >> bit & 1 == 1) }
        }
        append(byteMode, 4)
        append(bytes.count, lengthBits(version))
        for byte in bytes { append(Int(byte), 8) }
        let count = dataCount(version)
        bits += Array(repeating: false, count: min(4, count * 8 - bits.count))
        bits += Array(repeating: false, count: (8 - bits.count % 8) % 8)
        var data = stride(from: 0, to: bits.count, by: 8).map { start in bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) } }
        for index in 0..<count - data.count { data.append(padding[index % 2]) }
        return data
    }

    private static func interleaved(_ data: [UInt8], _ version: Int) -> [UInt8] {
        let (blockCount, correctionCount) = (blockCounts[version - 1], correctionCounts[version - 1])
        let divisor = ReedSolomon(degree: correctionCount)
        // The last blocks have one more where the data does not divide.
        let (short, longer) = (data.count / blockCount, data.count % blockCount)
        var start = 0
        let blocks = (0..<blockCount).map { index in
            let end = start + short + (index >= blockCount - longer ? 1 : 0)
            defer { start = end }
            return Array(data[start..<end])
        }
        let corrections = blocks.map(divisor.remainder)
        let interleavedData = (0...short).flatMap { index in blocks.compactMap { index < $0.count ? $0[index] : nil } }
        return interleavedData + (0..<correctionCount).flatMap { index in corrections.map { $0[index] } }
    }
}

/// Error correction by polynomials over the field of 256 elements with the modulus x^8 + x^4 + x^3 + x^2 + 1.
struct ReedSolomon {
    /// The coefficients of (x - 1)(x - 2)(x - 4)…, without the leading 1.
    private let divisor: [UInt8]

    init(degree: Int) {
        var divisor = Array(repeating: UInt8(0), count: degree - 1) + [1]
        var root: UInt8 = 1
        for _ in 0..<degree {
            for index in divisor.indices {
                divisor[index] = Self.product(divisor[index], root)
                if index + 1 < divisor.count { divisor[index] ^= divisor[index + 1] }
            }
            root = Self.product(root, 2)
        }
        self.divisor = divisor
    }

    func remainder(_ data: [UInt8]) -> [UInt8] {
        var remainder = Array(repeating: UInt8(0), count: divisor.count)
        for byte in data {
            let factor = byte ^ remainder.removeFirst()
            remainder.append(0)
            for index in divisor.indices { remainder[index] ^= Self.product(divisor[index], factor) }
        }
        return remainder
    }

    private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var product = 0
        for bit in stride(from: 7, through: 0, by: -1) {
            product = product << 1 ^ (product >> 7) * 0x11D
            product ^= Int(right >> bit & 1) * Int(left)
        }
        return UInt8(product)
    }
}
