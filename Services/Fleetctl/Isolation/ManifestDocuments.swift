import Contracts
package import StrictJSON
import Yams

/// The objects of rendered Kubernetes manifests, as plain trees.
package struct ManifestDocuments: Sendable {
    /// Why manifests cannot be read; names the file and never quotes it.
    package struct Unreadable: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Lists are taken apart.
    package private(set) var objects: [JSONValue] = []

    package init() {}

    /// Reads all documents of one file, YAML or JSON, which is YAML too.
    package mutating func append(_ text: String, file: String) throws(Unreadable) {
        do {
            // Document by document: the sequence that Yams offers ends silently at an error.
            let parser = try Parser(yaml: text)
            while let node = try parser.nextRoot() { append(Self.tree(node)) }
        } catch let error as YamlError {
            throw Unreadable(description: "\(file): not YAML\(Self.place(of: error))")
        } catch {
            throw Unreadable(description: "\(file): not YAML")
        }
    }

    private mutating func append(_ object: JSONValue) {
        guard object["kind"]?.stringValue?.hasSuffix("List") == true, let items = object["items"]?.arrayValue else {
            objects.append(object)
            return
        }
        for item in items { append(item) }
    }

    /// The objects of one kind.
    func objects(ofKind kind: String) -> [JSONValue] { objects.filter { $0["kind"]?.stringValue == kind } }

    /// Scalars stay texts: what YAML would make of `yes` or `0123` is of no interest here.
    private static func tree(_ node: Node) -> JSONValue {
        switch node {
        case .scalar(let scalar):
            let isNull = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
            return isNull ? .null : .string(scalar.string)
        case .mapping(let mapping):
            return .object(mapping.map { JSONMember(name: $0.key.string ?? "", value: tree($0.value)) })
        case .sequence(let sequence): return .array(sequence.map(tree))
        case .alias: return .null
        }
    }

    /// The words of an error could quote a secret; where it is cannot.
    private static func place(of error: YamlError) -> String {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): " (line \(mark.line))"
        default: ""
        }
    }
}
