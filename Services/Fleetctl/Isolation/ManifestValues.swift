import Contracts
import FoundationEssentials
import StrictJSON

/// The Secrets and ConfigMaps that the manifests show, which variables refer to.
struct ManifestValues {
    private struct Name: Hashable {
        let namespace: String
        let name: String
    }

    private var secrets: [Name: [String: String]] = [:]
    private var maps: [Name: [String: String]] = [:]

    init(_ documents: ManifestDocuments) {
        for object in documents.objects(ofKind: "Secret") {
            let encoded = Self.texts(object["data"]).compactMapValues { text in
                Data(base64Encoded: text, options: .ignoreUnknownCharacters).map { String(decoding: $0, as: UTF8.self) }
            }
            // The API server lets stringData win, too.
            secrets[Self.name(of: object)] = encoded.merging(Self.texts(object["stringData"])) { $1 }
        }
        for object in documents.objects(ofKind: "ConfigMap") { maps[Self.name(of: object)] = Self.texts(object["data"]) }
    }

    static func namespace(of object: JSONValue) -> String { object["metadata"]?["namespace"]?.stringValue ?? "default" }

    func value(of reference: SecretReference) -> String? {
        guard let key = reference.key else { return nil }
        return secrets[Name(namespace: reference.namespace, name: reference.name)]?[key]
    }

    /// All values of a Secret; nil when the manifests don't show it.
    func secret(_ name: String, in namespace: String) -> [String: String]? { secrets[Name(namespace: namespace, name: name)] }

    /// All values of a ConfigMap; nil when the manifests don't show it.
    func map(_ name: String, in namespace: String) -> [String: String]? { maps[Name(namespace: namespace, name: name)] }

    private static func name(of object: JSONValue) -> Name {
        Name(namespace: namespace(of: object), name: object["metadata"]?["name"]?.stringValue ?? "")
    }

    private static func texts(_ object: JSONValue?) -> [String: String] {
        var texts: [String: String] = [:]
        for member in object?.objectValue ?? [] { texts[member.name] = member.value.stringValue }
        return texts
    }
}
