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
    package let environment: FlorinEnvironment

    package init(serviceName: String, serviceVersion: String, instanceID: String = SpanResource.hostName, environment: FlorinEnvironment) {
        self.serviceName = serviceName
        self.serviceVersion = serviceVersion
        self.instanceID = instanceID
        self.environment = environment
    }

    /// By the names of the conventions.
    var attributes: [(name: String, value: String)] {
        [
            ("service.name", serviceName), ("service.version", serviceVersion), ("service.instance.id", instanceID),
            ("deployment.environment.name", environment.rawValue), ("telemetry.sdk.language", "swift"), ("telemetry.sdk.name", "florin"),
        ]
    }

    /// The name that the system gives this machine or pod.
    package static var hostName: String {
        // POSIX allows 255 bytes and a NUL.
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
