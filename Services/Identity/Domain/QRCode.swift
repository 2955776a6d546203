/// A QR code of a text (ISO/IEC 18004): byte mode, level M, the smallest version that it fits in, the mask with the fewest penalties.
package struct QRCode: Sendable {
    /// The light frame, in modules, that readers need (section 9.1).
    private static let quietZone = 4

    let version: Int
    /// Modules on a side.
    let size: Int
    /// Which modules are dark, row by row.
    private(set) var isDark: [[Bool]]
    /// Those that belong to a pattern and carry no data.
    private var isFixed: [[Bool]]

    /// - Returns: nil for a text longer than 2 331 bytes.
    package init?(_ text: String) {
        guard let content = QRContent(Array(text.utf8)) else { return nil }
        version = content.version
        size = 17 + 4 * version
        isDark = Array(repeating: Array(repeating: false, count: size), count: size)
        isFixed = isDark
        drawPatterns()
        draw(content.codewords)
        let candidates = QRMask.allCases.map { mask -> (mask: QRMask, penalty: Int) in
            var code = self
            code.apply(mask)
            return (mask, QRPenalty.of(code.isDark))
        }
        if let best = candidates.min(by: { $0.penalty < $1.penalty }) { apply(best.mask) }
    }

    /// As a picture that is as wide as its place, dark on light whatever the page's colours.
    package var svg: String {
        let side = size + 2 * Self.quietZone
        var path = ""
        for (y, row) in isDark.enumerated() {
            var x = 0
            while x < size {
                let run = row[x...].prefix { $0 }.count
                if run > 0 { path += "M\(x + Self.quietZone),\(y + Self.quietZone)h\(run)v1h-\(run)z" }
                x += max(run, 1)
            }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" shape-rendering="crispEdges">\
            <rect width="\(side)" height="\(side)" fill="#fff"/><path fill="#000" d="\(path)"/></svg>
            """
    }

    // MARK: patterns

    private mutating func fix(_ x: Int, _ y: Int, _ dark: Bool) {
        guard (0..<size).contains(x), (0..<size).contains(y) else { return }
        isDark[y][x] = dark
        isFixed[y][x] = true
    }

    private mutating func drawPatterns() {
        for index in 0..<size {
            fix(6, index, index.isMultiple(of: 2))
            fix(index, 6, index.isMultiple(of: 2))
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] { drawSquare(x, y, reach: 4, lightRings: [2, 4]) }
        let places = alignmentPlaces
        for x in places {
            for y in places where !isCorner(x, y, places) { drawSquare(x, y, reach: 2, lightRings: [1]) }
        }
        drawFormat(mask: 0)
        drawVersion()
    }

    private mutating func drawSquare(_ x: Int, _ y: Int, reach: Int, lightRings: Set<Int>) {
        for down in -reach...reach {
            for right in -reach...reach { fix(x + right, y + down, !lightRings.contains(max(abs(down), abs(right)))) }
        }
    }

    /// Annex E, computed.
    private var alignmentPlaces: [Int] {
        guard version > 1 else { return [] }
        let count = version / 7 + 2
        let step = (version * 8 + count * 3 + 5) / (count * 4 - 4) * 2
        return [6] + (0..<count - 1).map { size - 7 - $0 * step }.reversed()
    }

    /// Where the finder patterns are.
    private func isCorner(_ x: Int, _ y: Int, _ places: [Int]) -> Bool {
        guard let first = places.first, let last = places.last else { return true }
        return (x == first && y == first) || (x == first && y == last) || (x == last && y == first)
    }

    /// The level and the mask, twice, with error correction of their own (section 7.9).
    private mutating func drawFormat(mask: Int) {
        // Level M is 00.
        var remainder = mask
        for _ in 0..<10 { remainder = remainder << 1 ^ (remainder >> 9) * 0x537 }
        let bits = (mask << 10 | remainder) ^ 0x5412
        func bit(_ index: Int) -> Bool { bits >> index & 1 == 1 }
        for index in 0...5 { fix(8, index, bit(index)) }
        fix(8, 7, bit(6))
        fix(8, 8, bit(7))
        fix(7, 8, bit(8))
        for index in 9..<15 { fix(14 - index, 8, bit(index)) }
        for index in 0..<8 { fix(size - 1 - index, 8, bit(index)) }
        for index in 8..<15 { fix(8, size - 15 + index, bit(index)) }
        fix(8, size - 8, true)
    }

    /// The version, twice (section 7.10).
    private mutating func drawVersion() {
        guard version >= 7 else { return }
        var remainder = version
        for _ in 0..<12 { remainder = remainder << 1 ^ (remainder >> 11) * 0x1F25 }
        let bits = version << 12 | remainder
        for index in 0..<18 {
            let (near, far) = (index / 3, size - 11 + index % 3)
            fix(far, near, bits >> index & 1 == 1)
            fix(near, far, bits >> index & 1 == 1)
        }
    }

    // MARK: data

    /// In columns of two from the right, up and down in turns, round the patterns (section 7.7.3).
    private mutating func draw(_ codewords: [UInt8]) {
        var index = 0
        var isUpward = true
        for right in [Int](stride(from: size - 1, through: 8, by: -2)) + [5, 3, 1] {
            for step in 0..<size {
                let y = isUpward ? size - 1 - step : step
                for x in [right, right - 1] where !isFixed[y][x] && index < codewords.count * 8 {
                    isDark[y][x] = codewords[index / 8] >> (7 - index % 8) & 1 == 1
                    index += 1
                }
            }
            isUpward.toggle()
        }
    }

    private mutating func apply(_ mask: QRMask) {
        for y in 0..<size {
            for x in 0..<size where !isFixed[y][x] && mask.inverts(x, y) { isDark[y][x].toggle() }
        }
        drawFormat(mask: mask.rawValue)
    }
}

/// The patterns that data is laid over with, so that it looks like no pattern of the code itself (section 7.8.2).
private enum QRMask: Int, CaseIterable {
    case chessboard, rows, columns, diagonals, blocks, grid, stars, crosses

    func inverts(_ x: Int, _ y: Int) -> Bool {
        switch self {
        case .chessboard: (x + y).isMultiple(of: 2)
        case .rows: y.isMultiple(of: 2)
        case .columns: x.isMultiple(of: 3)
        case .diagonals: (x + y).isMultiple(of: 3)
        case .blocks: (x / 3 + y / 2).isMultiple(of: 2)
        case .grid: x * y % 2 + x * y % 3 == 0
        case .stars: (x * y % 2 + x * y % 3).isMultiple(of: 2)
        case .crosses: ((x + y) % 2 + x * y % 3).isMultiple(of: 2)
        }
    }
}
