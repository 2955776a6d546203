/// Lengths at which a reader loses the thread.
enum SizeRules {
    static let longestFile = 400
    static let longestFunction = 100

    static func longFiles(_ file: SourceFile) -> [String] {
        file.lineCount - 1 > longestFile ? [file.violation(1, "\(file.lineCount - 1) lines; at most \(longestFile)")] : []
    }

    static func longFunctions(in file: SourceFile) -> [String] {
        functions(in: file).filter { $0.lines > longestFunction }
            .map { file.violation($0.line, "a function of \($0.lines) lines; at most \(longestFunction)") }
    }

    /// Every function and initializer with a body: the line it begins at and how many lines it takes, signature included.
    static func functions(in file: SourceFile) -> [(line: Int, lines: Int)] {
        let lines = file.codeLines
        let opening = /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+(?:\(\w+\))?\s+)*(?:func\s+\S|init\s*[?!]?\s*[(<]|deinit\s*\{)/
        return lines.indices.compactMap { start in
            guard lines[start].contains("func ") || lines[start].contains("init"), lines[start].contains(opening) else { return nil }
            return bodyEnd(in: lines, from: start).map { (start + 1, $0 - start + 1) }
        }
    }

    /// The line of the brace that closes the body, or nil where there is no body (a protocol's requirement).
    private static func bodyEnd(in lines: [Substring], from start: Int) -> Int? {
        let nextDeclaration = /^\s*(?:@?\w+\s+)*(?:func|var|let|case|struct|class|enum|actor|protocol|extension|init|associatedtype)\b/
        var parentheses = 0
        var braces = 0
        for index in start..<lines.count {
            if index > start, braces == 0, parentheses == 0, lines[index].contains(nextDeclaration) { return nil }
            for byte in lines[index].utf8 {
                switch byte {
                case UInt8(ascii: "("): parentheses += 1
                case UInt8(ascii: ")"): parentheses -= 1
                case UInt8(ascii: "{") where parentheses == 0 || braces > 0: braces += 1
                case UInt8(ascii: "}") where braces > 0:
                    braces -= 1
                    if braces == 0 { return index }
                case UInt8(ascii: "}") where parentheses == 0: return nil
                default: break
                }
            }
        }
        return nil
    }
}
