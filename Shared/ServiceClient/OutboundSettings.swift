import ServiceIdentity
package import ServiceRuntime

/// The settings of the calls to one other service, each name beginning with the callee's prefix: `LEDGER_URL`.
package struct OutboundSettings: Sendable {
    /// The settings' declarations for one callee.
    package struct Declaration: Sendable {
        private let address: Setting<ServiceAddress>
        private let timeout: Setting<Duration>
        private let tryTimeout: Setting<Duration>
        private let concurrency: Setting<Int>

        /// - Parameters:
        ///   - callee: The executable's name.
        ///   - prefix: The callee's, as in its database variable: `LEDGER` of `LEDGER_DATABASE_URL`.
        package init(callee: String, prefix: String) {
            address = Setting(
                key: "\(prefix)_URL", summary: "URL of \(callee).", expected: "http://host:port or https://host:port, and nothing after it",
                default: nil, parse: { try? ServiceAddress($0) }, render: { $0.description })
            timeout = .duration(
                "\(prefix)_TIMEOUT", "Maximum duration of a call to \(callee), retries included; an earlier deadline of the request wins.",
                in: .milliseconds(100) ... .seconds(30), default: .seconds(5))
            tryTimeout = .duration(
                "\(prefix)_TRY_TIMEOUT", "How long one try of a call to \(callee) takes at most, from connecting to the last byte of the answer.",
                in: .milliseconds(50) ... .seconds(30), default: RetryPolicy.defaultTryTimeout)
            concurrency = .integer(
                "\(prefix)_CONCURRENCY", "Calls to \(callee) under way at once; as many more wait for their turn.",
                in: 1...FleetHTTPClient.connectionsPerHost, unit: "calls", default: 32)
        }

        package var declared: [any SettingDeclaration] { [address, timeout, tryTimeout, concurrency] }

        /// - Throws: ``InvalidConfiguration`` when a try could never take as long as it may.
        package func settings(_ values: SettingValues) throws(InvalidConfiguration) -> OutboundSettings {
            guard values[tryTimeout] <= values[timeout] else {
                throw InvalidConfiguration(key: tryTimeout.key, "is not accepted: expected at most \(timeout.key)")
            }
            return OutboundSettings(
                addressKey: address.key, address: values[address], timeout: values[timeout], tryTimeout: values[tryTimeout],
                concurrency: values[concurrency])
        }
    }

    let addressKey: String
    let address: ServiceAddress
    let timeout: Duration
    let tryTimeout: Duration
    let concurrency: Int
}
