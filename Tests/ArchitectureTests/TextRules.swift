/// Rules about names, marks, unchecked promises and where SQL stands. Each returns one line per violation.
enum TextRules {
    /// Words that say nothing about what a type does.
    static let emptyWords = ["Manager", "Helper", "Utils", "Utilities"]
    /// Marks of unfinished work. Put together here so that this file does not trip over itself.
    static let marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK"]
    /// How a reason begins.
    static let reasons = ["Proof:", "Safe because", "`@unchecked Sendable`:", "`nonisolated(unsafe)`:"]
    /// How many lines above an unchecked promise its reason may begin.
    static let reasonReach = 8

    static func emptyNames(in file: SourceFile) -> [String] {
        let declaration = /\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)/
        return file.codeLines.enumerated().flatMap { index, line in
            line.matches(of: declaration).map { String($0.1) }.filter { name in emptyWords.contains(where: name.contains) }
                .map { file.violation(index + 1, "the name \($0) says nothing about what the type does") }
        }
    }

    static func unfinishedMarks(in file: SourceFile) -> [String] {
        let word = /\b[A-Z]{4,5}\b/
        return file.source.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { index, line in
            line.matches(of: word).map { String($0.output) }.filter(marks.contains).map { file.violation(index + 1, "unfinished: \($0)") }
        }
    }

    static func publicDeclarations(in file: SourceFile) -> [String] {
        lines(
            of: file,
            matching:
                /\b(?:public|open)\s+(?:\w+(?:\(set\))?\s+)*(?:struct|class|enum|actor|protocol|typealias|func|init|var|let|static|extension|subscript)\b/
        )
        .map { file.violation($0, "public or open; package is the widest access") }
    }

    static func detachedTasks(in file: SourceFile) -> [String] {
        lines(of: file, matching: /\bTask\s*\.\s*detached\b/).map { file.violation($0, "Task.detached; concurrency is structured here") }
    }

    /// `@unchecked Sendable` and `nonisolated(unsafe)` switch the compiler's proof off, so ours must stand beside them.
    static func uncheckedPromises(in file: SourceFile) -> [String] {
        lines(of: file, matching: /@unchecked\s+Sendable|nonisolated\(unsafe\)/).filter { line in
            let reach = file.commentLines[max(0, line - 1 - reasonReach)..<min(line, file.commentLines.count)]
            return !reach.contains { comment in reasons.contains(where: comment.contains) }
        }
        .map { file.violation($0, "an unchecked promise without its reason beside it (a comment with Proof: or Safe because)") }
    }

    /// SQL belongs to a service's `Database/` and to the shared modules that own tables.
    static func strayStatements(in file: SourceFile) -> [String] {
        let owners = ["Postgres", "Outbox", "EventConsumption", "ServiceDatabase", "WorkQueue"]
        let ownsTables = owners.contains(file.module) || file.folder == "Database"
        guard !ownsTables else { return [] }
        let statement =
            /\b(?:SELECT|INSERT INTO|DELETE FROM|UPDATE \w+ SET|CREATE (?:TABLE|ROLE|DATABASE|INDEX)|ALTER (?:TABLE|ROLE)|TRUNCATE|SET LOCAL)\s/
        return file.stringLines.enumerated().filter { $0.element.contains(statement) }.map { file.violation($0.offset + 1, "SQL outside Database/") }
    }

    private static func lines(of file: SourceFile, matching pattern: some RegexComponent) -> [Int] {
        file.codeLines.enumerated().filter { $0.element.contains(pattern) }.map { $0.offset + 1 }
    }
}
