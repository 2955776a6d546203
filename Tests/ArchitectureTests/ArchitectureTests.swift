import Foundation
import Testing

/// The project's own rules, held against every file of the tree. `RuleTests` shows that each rule can fail.
@Suite("Architecture")
struct ArchitectureTests {
    let tree = SourceTree.current

    @Test("the tree was found and read")
    func treeIsRead() {
        #expect(tree.serviceNames.contains("WalletLedger"))
        #expect(tree.sharedNames.isSuperset(of: ["Contracts", "Postgres", "ServiceRuntime"]))
        #expect(tree.shipped.count > 20)
    }

    @Test("imports point one way: services, shared modules, C modules; Domain knows Contracts only")
    func imports() {
        let rules = ImportRules(tree)
        expectNone(tree.files.flatMap(rules.violations))
    }

    @Test("SQL stands in Database folders and in the shared modules that own tables")
    func statements() {
        expectNone(tree.shipped.flatMap(TextRules.strayStatements))
    }

    @Test("no type is named Manager, Helper or Utils")
    func names() {
        expectNone(tree.files.flatMap(TextRules.emptyNames))
    }

    @Test("no mark of unfinished work is left")
    func marks() {
        expectNone(tree.files.flatMap(TextRules.unfinishedMarks))
    }

    @Test("package is the widest access level")
    func access() {
        expectNone(tree.files.flatMap(TextRules.publicDeclarations))
    }

    @Test("concurrency is structured: no detached task")
    func detachedTasks() {
        expectNone(tree.files.flatMap(TextRules.detachedTasks))
    }

    @Test("every unchecked promise to the compiler has its proof beside it")
    func uncheckedPromises() {
        expectNone(tree.files.flatMap(TextRules.uncheckedPromises))
    }

    @Test("files and functions are short enough to read")
    func sizes() {
        expectNone(tree.files.flatMap(SizeRules.longFiles))
        expectNone(tree.shipped.flatMap(SizeRules.longFunctions))
    }

    @Test("every service has its command, composition and configuration")
    func serviceShape() {
        // fleetctl is an operators' tool, not a process of the fleet: it serves nothing and composes nothing.
        for service in tree.serviceNames.subtracting(["Fleetctl"]).sorted() {
            for part in ["Command", "Composition", "Configuration"] {
                let path = "Services/\(service)/\(service)\(part).swift"
                #expect(tree.files.contains { $0.path == path }, "\(path) is missing")
            }
        }
    }

    @Test("every module has tests")
    func testsExist() {
        let tested = Set(tree.files.filter { $0.path.hasPrefix("Tests/") }.map(\.module))
        for module in Set(tree.shipped.map(\.module)).sorted() {
            #expect(tested.contains("\(module)Tests"), "Tests/\(module)Tests is missing")
        }
    }

    private func expectNone(_ violations: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(violations.isEmpty, "\n\(violations.joined(separator: "\n"))", sourceLocation: sourceLocation)
    }
}
