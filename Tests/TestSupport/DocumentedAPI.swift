internal import Contracts
import Foundation
import StrictJSON

/// Which routes and statuses the OpenAPI document names.
package struct DocumentedAPI: Sendable {
    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    /// Statuses by route, `GET /v1/wallets/{id}`.
    package let statuses: [String: Set<Int>]

    package init(path: String) throws {
        let document = try JSONParser.parse(Array(Data(contentsOf: URL(fileURLWithPath: path))))
        var statuses: [String: Set<Int>] = [:]
        for item in document["paths"]?.objectValue ?? [] {
            for operation in item.value.objectValue ?? [] where Self.methods.contains(operation.name) {
                let responses = operation.value["responses"]?.objectValue ?? []
                // A `4XX` or `default` would document everything, and so nothing.
                statuses["\(operation.name.uppercased()) \(item.name)"] = Set(responses.compactMap { Int($0.name) })
            }
        }
        self.statuses = statuses
    }

    /// The route that a request hits, if any.
    package func route(_ method: String, target: String) -> String? {
        let path = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return statuses.keys.first { route in
            let words = route.split(separator: " ")
            let known = words[1].split(separator: "/", omittingEmptySubsequences: false)
            return words[0] == method && known.count == parts.count && zip(known, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
    }
}
