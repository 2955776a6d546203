import Foundation

/// One Swift file of the project, with its path from the root.
struct SourceFile: Sendable {
    let path: String
    let source: String
    let layers: SourceLayers

    init(path: String, source: String) {
        self.path = path
        self.source = source
        self.layers = SourceLayers(source)
    }

    /// The folders above the file and its name: `Services/WalletLedger/Domain/Posting.swift` in four parts.
    var components: [String] { path.split(separator: "/").map(String.init) }

    /// The module that the file belongs to; every module is a folder below Services, Shared or Tests.
    var module: String { components.count > 2 ? components[1] : "" }

    /// The folder within the module, such as `Domain`, or nil at its top.
    var folder: String? { components.count > 3 ? components[2] : nil }

    var isShared: Bool { path.hasPrefix("Shared/") }
    var isService: Bool { path.hasPrefix("Services/") }
    var lineCount: Int { source.split(separator: "\n", omittingEmptySubsequences: false).count }

    var codeLines: [Substring] { layers.code.split(separator: "\n", omittingEmptySubsequences: false) }
    var stringLines: [Substring] { layers.strings.split(separator: "\n", omittingEmptySubsequences: false) }
    var commentLines: [Substring] { layers.comments.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The modules that the file imports, each with its line and the access level written before it.
    var imports: [(line: Int, module: String, access: String?)] {
        codeLines.enumerated().compactMap { index, line in
            guard line.contains("import ") else { return nil }
            var words = line.split(separator: " ").map(String.init)
            while let first = words.first, first.hasPrefix("@") { words.removeFirst() }
            var access: String?
            if let first = words.first, ["public", "package", "internal", "fileprivate", "private"].contains(first) {
                access = words.removeFirst()
            }
            guard words.first == "import", words.count > 1 else { return nil }
            let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor"]
            let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
            return (index + 1, String(name.prefix { $0 != "." }), access)
        }
    }

    func violation(_ line: Int, _ what: String) -> String { "\(path):\(line): \(what)" }
}

/// The project's tree as it lies on the disk.
struct SourceTree: Sendable {
    static let root: URL = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    let files: [SourceFile]
    let serviceNames: Set<String>
    let sharedNames: Set<String>

    /// Read once; the rules share it.
    static let current = SourceTree(root: root)

    init(root: URL) {
        files = ["Services", "Shared", "Tests"].flatMap { Self.swiftFiles(below: $0, root: root) }
        serviceNames = Self.folders(in: root.appending(path: "Services"))
        sharedNames = Self.folders(in: root.appending(path: "Shared"))
    }

    /// The files that ship: services and shared modules.
    var shipped: [SourceFile] { files.filter { $0.isService || $0.isShared } }

    private static func swiftFiles(below folder: String, root: URL) -> [SourceFile] {
        guard let walker = FileManager.default.enumerator(atPath: root.appending(path: folder).path) else { return [] }
        return walker.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().compactMap { relative in
            guard let source = try? String(contentsOf: root.appending(path: "\(folder)/\(relative)"), encoding: .utf8) else { return nil }
            return SourceFile(path: "\(folder)/\(relative)", source: source)
        }
    }

    private static func folders(in folder: URL) -> Set<String> {
        let entries = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.isDirectoryKey])
        return Set((entries ?? []).filter { $0.hasDirectoryPath }.map(\.lastPathComponent))
    }
}
