import Testing

/// Each rule is shown what it must refuse and what it must let pass.
@Suite("Architecture rules")
struct RuleTests {
    private let imports = ImportRules(
        serviceNames: ["WalletLedger", "Identity"], sharedNames: ["StrictJSON", "Contracts", "Postgres", "ServiceRuntime", "RequestSigning"])

    @Test(
        "an import that points the wrong way is refused",
        arguments: [
            ("Services/WalletLedger/Domain/A.swift", "import Postgres"),
            ("Services/WalletLedger/Domain/A.swift", "import Synchronization"),
            ("Services/WalletLedger/HTTP/A.swift", "import Postgres"),
            ("Services/WalletLedger/A.swift", "import Identity"),
            ("Services/WalletLedger/A.swift", "package import Foundation"),
            ("Services/WalletLedger/A.swift", "public import Contracts"),
            ("Shared/RequestSigning/A.swift", "@preconcurrency import FoundationNetworking"),
            ("Shared/RequestSigning/A.swift", "import struct Foundation.Data"),
            ("Shared/RequestSigning/A.swift", "import WalletLedger"),
            ("Shared/RequestSigning/A.swift", "internal import CLibPQ"),
            ("Shared/Postgres/A.swift", "package import CLibPQ"),
            ("Shared/Postgres/A.swift", "import Contracts"),
            ("Shared/ServiceRuntime/A.swift", "import Postgres"),
            ("Shared/Contracts/A.swift", "import Postgres"),
            ("Shared/StrictJSON/A.swift", "import Contracts"),
            ("Services/WalletLedger/Domain/A.swift", "import StrictJSON"),
            ("Tests/PostgresTests/A.swift", "import CLibPQ"),
            ("Shared/AMQP/A.swift", "import Contracts"),
            ("Shared/AMQP/A.swift", "package import CRabbitMQ"),
            ("Shared/EventConsumption/A.swift", "internal import CRabbitMQ"),
            ("Services/WalletLedger/HTTP/A.swift", "import AMQP"),
            ("Shared/ServiceRuntime/A.swift", "import AMQP"),
        ])
    func wrongImport(path: String, source: String) {
        #expect(imports.violations(in: SourceFile(path: path, source: source)).count == 1)
    }

    @Test(
        "an import that points the right way passes",
        arguments: [
            ("Services/WalletLedger/Domain/A.swift", "package import Contracts"),
            ("Shared/Contracts/A.swift", "package import StrictJSON"),
            ("Services/WalletLedger/Database/A.swift", "import Postgres"),
            ("Services/WalletLedger/A.swift", "import FoundationEssentials"),
            ("Services/WalletLedger/A.swift", "// import Foundation"),
            ("Services/WalletLedger/A.swift", "let text = \"\"\"\nimport Foundation\n\"\"\""),
            ("Shared/Postgres/A.swift", "internal import CLibPQ"),
            ("Shared/AMQP/A.swift", "internal import CRabbitMQ"),
            ("Tests/WalletLedgerTests/A.swift", "import Foundation\nimport WalletLedger"),
        ])
    func rightImport(path: String, source: String) {
        #expect(imports.violations(in: SourceFile(path: path, source: source)).isEmpty)
    }

    @Test(
        "SQL is found in the strings of a folder that owns no table, and only there",
        arguments: [
            ("Services/WalletLedger/UseCases/A.swift", "let a = \"SELECT id FROM wallets\"", 1),
            ("Services/WalletLedger/HTTP/A.swift", "let a = \"\"\"\n    UPDATE wallets SET balance = 0\n    \"\"\"", 1),
            ("Shared/RequestSigning/A.swift", "let a = #\"INSERT INTO t VALUES (1)\"#", 1),
            ("Services/WalletLedger/Database/A.swift", "let a = \"SELECT id FROM wallets\"", 0),
            ("Shared/Postgres/A.swift", "let a = \"SELECT 1 \"", 0),
            ("Services/WalletLedger/UseCases/A.swift", "// SELECT id FROM wallets", 0),
            ("Services/WalletLedger/UseCases/A.swift", "let a = \"please select one\"", 0),
        ])
    func statements(path: String, source: String, expected: Int) {
        #expect(TextRules.strayStatements(in: SourceFile(path: path, source: source)).count == expected)
    }

    @Test(
        "an unchecked promise needs its reason beside it",
        arguments: [
            ("final class A: @unchecked Sendable {}", 1),
            ("nonisolated(unsafe) var a = 0", 1),
            ("// Proof: immutable after init.\nfinal class A: @unchecked Sendable {}", 0),
            ("/// Safe because the lock guards it.\nnonisolated(unsafe) var a = 0", 0),
            ("let text = \"@unchecked Sendable\"", 0),
            ("// Proof: of something else.\(String(repeating: "\n", count: 20))final class A: @unchecked Sendable {}", 1),
        ])
    func uncheckedPromises(source: String, expected: Int) {
        #expect(TextRules.uncheckedPromises(in: SourceFile(path: "Shared/Postgres/A.swift", source: source)).count == expected)
    }

    @Test(
        "names, marks, access and detached tasks are judged by the code and not by prose",
        arguments: [
            ("struct ConnectionManager {}", 1),
            ("enum StringUtils {}", 1),
            ("// " + "TO" + "DO: later", 1),
            ("public struct A {}", 1),
            ("public private(set) var a = 0", 1),
            ("open class A {}", 1),
            ("func f() { Task.detached {} }", 1),
            ("struct WalletOpening { let manager = 1 }", 0),
            ("/// The public interface opens a class of wallets, see Task.detached.", 0),
            ("package struct A { let isOpen: Bool }", 0),
        ])
    func textRules(source: String, expected: Int) {
        let file = SourceFile(path: "Services/WalletLedger/A.swift", source: source)
        let found =
            TextRules.emptyNames(in: file) + TextRules.unfinishedMarks(in: file) + TextRules.publicDeclarations(in: file)
            + TextRules.detachedTasks(in: file)
        #expect(found.count == expected, "\(found)")
    }

    @Test("a function's lines are counted from its signature to its closing brace, braces in strings left out")
    func functionLength() {
        let source = """
            struct A {
                func short(a: () -> Void = {}) { a() }
                private static func long(
                    b: Int
                ) -> String {
                    let text = "}}} \\(b.description + "{")"
                    if b > 0 { return text }
                    return ""
                }
                init() {
                }
            }
            protocol P {
                func required(c: Int) -> Int
                var d: Int { get }
            }
            """
        let found = SizeRules.functions(in: SourceFile(path: "Shared/A/A.swift", source: source))
        #expect(found.map(\.line) == [2, 3, 10])
        #expect(found.map(\.lines) == [1, 7, 2])
    }

    @Test("a function or file over its limit is named, one at its limit is not", arguments: [(0, 0), (1, 1)])
    func limits(linesTooMany: Int, expected: Int) {
        let body = String(repeating: "    work()\n", count: SizeRules.longestFunction - 2 + linesTooMany)
        let function = SourceFile(path: "Shared/A/A.swift", source: "func f() {\n\(body)}\n")
        #expect(SizeRules.longFunctions(in: function).count == expected)
        let file = SourceFile(path: "Shared/A/A.swift", source: String(repeating: "// a\n", count: SizeRules.longestFile + linesTooMany))
        #expect(SizeRules.longFiles(file).count == expected)
    }

    @Test("layers separate code, strings and comments, interpolation included")
    func layers() {
        let layers = SourceLayers("let a = \"x\\(f(\"y\"))z\" // c\n/* d /* e */ */ let b = #\"\\(q)\"#")
        #expect(!layers.code.contains("x") && !layers.code.contains("y") && !layers.code.contains("z") && !layers.code.contains("q"))
        #expect(layers.code.contains("f(") && layers.code.contains("let b"))
        #expect(layers.strings.contains("y") && layers.strings.contains("q") && !layers.strings.contains("f"))
        #expect(layers.comments.contains("c") && layers.comments.contains("e") && !layers.comments.contains("let"))
    }
}
