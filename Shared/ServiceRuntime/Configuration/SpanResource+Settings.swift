package import Observability

extension SpanResource {
    /// The resource as the settings describe it.
    package init(service: String, _ settings: ProcessSettings) {
        self.init(
            serviceName: settings.tracing.serviceName ?? service, serviceVersion: settings.version, environment: settings.environment.rawValue,
            // OTEL_SERVICE_NAME takes precedence over the attribute.
            others: settings.tracing.resourceAttributes.filter { $0.name != Self.serviceNameKey || settings.tracing.serviceName == nil })
    }
}
