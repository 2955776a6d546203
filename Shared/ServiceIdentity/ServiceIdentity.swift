package import RequestSigning
package import ServiceLifecycle
package import ServiceRuntime

/// What a process is to the others of the fleet: the keys that it signs with and accepts, its certificate, and its HTTP client.
///
/// Made once per process, before anything is connected to; being called (`InboundAPI`) and calling (`Outbound`) are made from it, so that
/// every file is watched once and every connection belongs to one pool.
package struct ServiceIdentity: Sendable {
    /// The executable's name.
    package let service: String
    package let keys: SigningKeyStore
    /// Nil when something else encrypts between services, or nothing.
    package let tls: InternalTLS.Material?
    package let client: FleetHTTPClient

    /// Reads the keys and, where the services encrypt themselves, the certificate and the authorities.
    ///
    /// - Throws: ``InvalidConfiguration`` naming the setting whose file can't be used, or is another service's.
    package init(_ settings: ServiceIdentitySettings, service: String) throws(InvalidConfiguration) {
        self.service = service
        keys = try settings.keys(of: service)
        tls = try settings.internalTLS.load()
        client = FleetHTTPClient(connectTimeout: settings.connectTimeout)
    }

    /// - Throws: ``InvalidConfiguration`` when this service has no key for calling another.
    package func requireKey(for callee: String) throws(InvalidConfiguration) {
        guard keys.current.outbound.contains(where: { $0.callee == callee }) else {
            throw InvalidConfiguration(key: ServiceIdentitySettings.keysFileKey, "holds no key for calling \(callee)")
        }
    }

    /// What must run for it, once: before everything that calls or is called, so that it ends after it.
    package func services(_ context: ProcessContext) -> [any Service] {
        var services: [any Service] = [
            ShutdownStep("http client") { [client] in await client.close() },
            SigningKeyReloader(keys: keys, logger: context.logger, metrics: context.metrics),
        ]
        if let tls { services.append(CertificateReloader(material: tls, logger: context.logger, metrics: context.metrics)) }
        return services
    }
}
