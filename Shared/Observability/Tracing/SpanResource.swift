#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Who made the spans (OpenTelemetry semantic conventions, "Service" and "Deployment").
package struct SpanResource: Sendable, Hashable {
    /// The executable's name: `wallet-ledger`.
    package let serviceName: String
    package let serviceVersion: String
    /// What tells this process from its replicas: the pod's name, which is its host's.
    package let instanceID: String
    /// Where it runs: `production`.
    package let environment: String
    /// Further attributes; each stands in place of ours of the same name.
    private let others: [PairList.Pair]

    package init(
        serviceName: String, serviceVersion: String, instanceID: String = SpanResource.hostName, environment: String, others: [PairList.Pair] = []
    ) {
        self.serviceName = serviceName
        self.serviceVersion = serviceVersion
        self.instanceID = instanceID
        self.environment = environment
        self.others = others
    }

    package static let serviceNameKey = "service.name"

    /// By the names of the conventions; what the settings give stands in place of ours, but for who made the spans.
    var attributes: [(name: String, value: String)] {
        let own = [
            (Self.serviceNameKey, serviceName), ("service.version", serviceVersion), ("service.instance.id", instanceID),
            ("deployment.environment.name", environment),
        ]
        let sdk = [("telemetry.sdk.language", "swift"), ("telemetry.sdk.name", "florin")]
        var given: [String: String] = [:]
        for pair in others where !sdk.contains(where: { $0.0 == pair.name }) { given[pair.name] = pair.value }
        let mine = own.filter { given[$0.0] == nil }
        return (mine + given.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + sdk).map { (name: $0.0, value: $0.1) }
    }

    /// The name that the system gives this machine or pod.
    package static var hostName: String {
        // POSIX allows 255 bytes and a NUL.
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
