/// What makes a QR code hard to read (ISO/IEC 18004, section 7.8.3).
enum QRPenalty {
    private static let finderLike: [[Bool]] = {
        let finder = [true, false, true, true, true, false, true]
        let light = Array(repeating: false, count: 4)
        return [finder + light, light + finder]
    }()

    static func of(_ rows: [[Bool]]) -> Int {
        let columns = rows.indices.map { column in rows.map { $0[column] } }
        return (rows + columns).reduce(0) { $0 + runs($1) + finders($1) } + squares(rows) + imbalance(rows)
    }

    /// Five and more of one colour in a line.
    private static func runs(_ line: [Bool]) -> Int {
        var (penalty, run) = (0, 0)
        for index in line.indices {
            run = index > 0 && line[index] == line[index - 1] ? run + 1 : 1
            if run == 5 { penalty += 3 } else if run > 5 { penalty += 1 }
        }
        return penalty
    }

    private static func finders(_ line: [Bool]) -> Int {
        let length = 11
        return (0...line.count - length).count { start in finderLike.contains { $0.elementsEqual(line[start..<start + length]) } } * 40
    }

    private static func squares(_ rows: [[Bool]]) -> Int {
        var count = 0
        for y in rows.indices.dropLast() {
            for x in rows.indices.dropLast() where rows[y][x] == rows[y][x + 1] && rows[y][x] == rows[y + 1][x] && rows[y][x] == rows[y + 1][x + 1] {
                count += 1
            }
        }
        return count * 3
    }

    /// Each 5 % away from half dark.
    private static func imbalance(_ rows: [[Bool]]) -> Int {
        let total = rows.count * rows.count
        let dark = rows.reduce(0) { $0 + $1.count { $0 } }
        return abs(dark * 20 - total * 10) / total * 10
    }
}
