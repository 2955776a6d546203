// swift-tools-version: 6.2
// The target graph. Read from top to bottom it is the order of dependency: services → shared modules → C modules.
import PackageDescription

// Computed, because a constant below `package` would be read before it is set.
var settings: [SwiftSetting] {
    [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
}

var argumentParser: Target.Dependency { .product(name: "ArgumentParser", package: "swift-argument-parser") }
var asyncHTTPClient: Target.Dependency { .product(name: "AsyncHTTPClient", package: "async-http-client") }
var configuration: Target.Dependency { .product(name: "Configuration", package: "swift-configuration") }
var crypto: Target.Dependency { .product(name: "Crypto", package: "swift-crypto") }
var deques: Target.Dependency { .product(name: "DequeModule", package: "swift-collections") }
var httpTypes: Target.Dependency { .product(name: "HTTPTypes", package: "swift-http-types") }
var hummingbird: Target.Dependency { .product(name: "Hummingbird", package: "hummingbird") }
var hummingbirdCore: Target.Dependency { .product(name: "HummingbirdCore", package: "hummingbird") }
var jwtKit: Target.Dependency { .product(name: "JWTKit", package: "jwt-kit") }
var logging: Target.Dependency { .product(name: "Logging", package: "swift-log") }
var metrics: Target.Dependency { .product(name: "Metrics", package: "swift-metrics") }
var coreMetrics: Target.Dependency { .product(name: "CoreMetrics", package: "swift-metrics") }
var nioCore: Target.Dependency { .product(name: "NIOCore", package: "swift-nio") }
var nioPosix: Target.Dependency { .product(name: "NIOPosix", package: "swift-nio") }
var nioHTTP1: Target.Dependency { .product(name: "NIOHTTP1", package: "swift-nio") }
var tracing: Target.Dependency { .product(name: "Tracing", package: "swift-distributed-tracing") }
var nioSSL: Target.Dependency { .product(name: "NIOSSL", package: "swift-nio-ssl") }
var serviceLifecycle: Target.Dependency { .product(name: "ServiceLifecycle", package: "swift-service-lifecycle") }
var unixSignals: Target.Dependency { .product(name: "UnixSignals", package: "swift-service-lifecycle") }
var yams: Target.Dependency { .product(name: "Yams", package: "Yams") }

@MainActor func shared(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Shared/\(name)", exclude: exclude, swiftSettings: settings)
}

@MainActor func service(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Services/\(name)", exclude: exclude, swiftSettings: settings)
}

@MainActor func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude, swiftSettings: settings)
}

let package = Package(
    name: "florin",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "wallet-ledger", targets: ["WalletLedger"]),
        .executable(name: "outbox-relay", targets: ["OutboxRelay"]),
        .executable(name: "ops-risk", targets: ["OpsRisk"]),
        .executable(name: "fleetctl", targets: ["Fleetctl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["ConfigurationSupport"]),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C modules
        .systemLibrary(name: "CLibPQ", path: "Shared/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CRabbitMQ", path: "Shared/CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),

        // Shared modules
        shared("StrictJSON", []),
        shared("Contracts", ["StrictJSON"], exclude: ["AsyncAPI", "OpenAPI"]),
        shared("RequestSigning", [crypto, httpTypes]),
        shared("AccessTokens", ["StrictJSON", crypto, jwtKit]),
        shared("TransportSecurity", [nioSSL]),
        shared("BlockingCalls", []),
        shared("Outages", []),
        shared("Postgres", ["BlockingCalls", "CLibPQ", "Outages", logging, serviceLifecycle]),
        shared("AMQP", ["BlockingCalls", "CRabbitMQ", "Outages", coreMetrics, deques, logging, serviceLifecycle]),
        shared("Redis", ["Outages", coreMetrics, deques, logging, metrics, nioCore, nioPosix, nioSSL, serviceLifecycle]),
        shared("Concurrency", []),
        shared(
            "Observability",
            [
                "Concurrency", "Contracts", "StrictJSON", asyncHTTPClient, coreMetrics, httpTypes, logging, metrics, nioCore, nioHTTP1, nioPosix,
                serviceLifecycle,
                tracing,
            ]),
        shared("HTTPServer", ["TransportSecurity", hummingbirdCore, logging, nioCore, nioHTTP1, nioSSL]),
        shared(
            "ServiceRuntime",
            [
                "BlockingCalls", "Concurrency", "Contracts", "HTTPServer", "Observability", hummingbird,
                hummingbirdCore, argumentParser, configuration, coreMetrics, httpTypes, logging, metrics, nioCore, nioPosix, nioSSL,
                serviceLifecycle, tracing, unixSignals,
            ]),
        shared(
            "ServiceDatabase",
            ["Observability", "Contracts", "Idempotency", "Postgres", "ServiceRuntime", argumentParser, logging, metrics, serviceLifecycle]),
        shared("Outbox", ["Contracts", "Postgres"], exclude: ["README.md"]),
        shared("EventBroker", ["Observability", "AMQP", "Contracts", "ServiceRuntime", "TransportSecurity"]),
        shared(
            "EventConsumption",
            [
                "Observability", "AMQP", "Contracts", "StrictJSON", "EventBroker", "Outages", "Postgres", "ServiceDatabase", "ServiceRuntime",
                argumentParser,
                coreMetrics, crypto,
                logging, metrics, serviceLifecycle, tracing,
            ], exclude: ["README.md"]),
        shared(
            "ReplayProtection",
            [
                "Observability", "Redis", "RequestSigning", "ServiceRuntime", "TransportSecurity", coreMetrics, crypto, logging, metrics, nioSSL,
                serviceLifecycle,
            ]),
        shared("Idempotency", ["Contracts", "StrictJSON", crypto], exclude: ["README.md"]),
        shared(
            "ServiceIdentity",
            [
                "Observability", "RequestSigning", "ServiceRuntime", "TransportSecurity", asyncHTTPClient, coreMetrics, logging, metrics, nioCore,
                nioHTTP1, serviceLifecycle,
            ]),
        shared(
            "HTTPService",
            [
                "AccessTokens", "Concurrency", "Contracts", "StrictJSON", "HTTPServer", "Idempotency", "Observability", "Redis", "ReplayProtection",
                "RequestSigning", "ServiceRuntime", "TransportSecurity", asyncHTTPClient, coreMetrics, httpTypes, hummingbird, hummingbirdCore,
                logging, metrics, nioCore, nioHTTP1, nioPosix, serviceLifecycle, tracing, "ServiceIdentity",
            ], exclude: ["README.md"]),
        shared(
            "ServiceClient",
            [
                "Concurrency", "Contracts", "Observability", "RequestSigning", "ServiceIdentity", "ServiceRuntime", "TransportSecurity",
                asyncHTTPClient, coreMetrics, nioSSL, httpTypes, nioCore, nioHTTP1, tracing,
            ], exclude: ["README.md"]),

        // Services
        service(
            "WalletLedger",
            [
                "AccessTokens", "Contracts", "StrictJSON", "Outbox", "Postgres", "ServiceDatabase", "ServiceRuntime", "HTTPService", "Idempotency",
                "Observability", argumentParser, crypto, "ServiceIdentity",
                deques, hummingbird, httpTypes, logging, metrics, nioCore, nioPosix, serviceLifecycle, tracing,
            ], exclude: ["README.md", "TIMES.md"]),
        service(
            "OutboxRelay",
            [
                "Observability", "AMQP", "Contracts", "StrictJSON", "EventBroker", "Outbox", "Postgres", "ServiceDatabase", "ServiceRuntime",
                argumentParser,
                coreMetrics, deques,
                logging, metrics, serviceLifecycle, tracing,
            ], exclude: ["README.md"]),
        service(
            "OpsRisk",
            [
                "AccessTokens", "Contracts", "StrictJSON", "EventBroker", "EventConsumption", "Outbox", "Postgres", "ServiceDatabase",
                "ServiceRuntime", "HTTPService", "Idempotency", "Observability", "ServiceIdentity",
                argumentParser, coreMetrics, httpTypes, logging, serviceLifecycle,
            ], exclude: ["README.md"]),
        service(
            "Fleetctl",
            [
                "AMQP", "Contracts", "StrictJSON", "EventBroker", "RequestSigning", "AccessTokens", "Postgres", "ServiceClient", "ServiceIdentity",
                "ServiceRuntime",
                argumentParser,
                crypto, httpTypes, logging, nioCore, nioPosix, yams,
            ], exclude: ["README.md"]),

        // Tests
        .target(
            name: "TestSupport",
            dependencies: [
                "Postgres", "Contracts", "StrictJSON", "Observability", "RequestSigning", "AccessTokens", "ServiceRuntime", "TransportSecurity",
                httpTypes,
                logging,
                nioCore, nioHTTP1, nioPosix, nioSSL,
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("StrictJSONTests", ["StrictJSON", "TestSupport"]),
        tests("ContractsTests", ["Contracts", "StrictJSON", "TestSupport"], exclude: ["crosscheck", "golden"]),
        tests("RequestSigningTests", ["RequestSigning", crypto, httpTypes], exclude: ["crosscheck"]),
        tests("AccessTokensTests", ["AccessTokens", "TestSupport", jwtKit, crypto]),
        tests("TransportSecurityTests", ["TransportSecurity", "TestSupport", nioSSL]),
        tests("BlockingCallsTests", ["BlockingCalls", "TestSupport"]),
        tests("OutagesTests", ["Outages"]),
        tests("PostgresTests", ["Postgres", "TestSupport", logging]),
        tests("AMQPTests", ["AMQP", "TestSupport", coreMetrics, logging]),
        tests(
            "EventConsumptionTests",
            [
                "Observability", "EventConsumption", "AMQP", "Contracts", "StrictJSON", "EventBroker", "Postgres", "ServiceDatabase",
                "ServiceRuntime",
                "TestSupport",
                argumentParser, crypto, logging, serviceLifecycle, tracing,
            ], exclude: ["migrations"]),
        tests("EventBrokerTests", ["EventBroker", "AMQP", "Contracts", "ServiceRuntime", "TestSupport", logging]),
        tests("ServiceDatabaseTests", ["Observability", "ServiceDatabase", "Contracts", "Postgres", "ServiceRuntime", "TestSupport", logging]),
        tests("OutboxTests", ["Outbox", "Contracts", "Postgres", "TestSupport"]),
        tests(
            "OutboxRelayTests",
            [
                "Observability", "OutboxRelay", "AMQP", "Contracts", "StrictJSON", "EventBroker", "Outbox", "Postgres", "ServiceDatabase",
                "ServiceRuntime",
                "TestSupport",
                argumentParser, coreMetrics,
                logging, serviceLifecycle,
            ]),
        tests("RedisTests", ["Redis", "TransportSecurity", "TestSupport", coreMetrics, logging, metrics, nioCore, nioPosix]),
        tests(
            "ReplayProtectionTests",
            [
                "Observability", "ReplayProtection", "Redis", "RequestSigning", "ServiceRuntime", "TestSupport", coreMetrics, logging, metrics,
                serviceLifecycle,
            ]),
        tests(
            "ServiceRuntimeTests",
            [
                "Observability", "ServiceRuntime", "Contracts", "StrictJSON", "RequestSigning", "TestSupport", coreMetrics, crypto, httpTypes,
                hummingbird, logging,
                metrics,
                nioCore, nioHTTP1, nioPosix, serviceLifecycle, tracing,
            ]),
        tests(
            "ObservabilityTests",
            [
                "Observability", "Contracts", "StrictJSON", "TestSupport", coreMetrics, httpTypes, logging, metrics, nioCore, nioHTTP1, nioPosix,
                serviceLifecycle,
                tracing,
            ], exclude: ["otlp"]),
        tests(
            "ServiceIdentityTests",
            ["ServiceIdentity", "Observability", "RequestSigning", "ServiceRuntime", "TestSupport", crypto, logging]),
        tests(
            "ServiceClientTests",
            [
                "AccessTokens", "Contracts", "HTTPService", "Observability", "RequestSigning", "ServiceClient", "ServiceIdentity", "ServiceRuntime",
                "TransportSecurity", "TestSupport", httpTypes, metrics, nioCore, nioHTTP1, nioPosix, nioSSL, serviceLifecycle, tracing,
            ]),
        tests(
            "WalletLedgerTests",
            [
                "WalletLedger", "Contracts", "StrictJSON", "Outbox", "Postgres", "ServiceDatabase", "RequestSigning", "AccessTokens",
                "ServiceRuntime",
                "HTTPService", "Idempotency", "Observability",
                "TestSupport",
                httpTypes, logging, metrics, tracing,
            ]),
        tests(
            "IdempotencyTests", ["Idempotency", "Contracts", "Postgres", "ServiceDatabase", "StrictJSON", "TestSupport"], exclude: ["migrations"]),
        tests("ConcurrencyTests", ["Concurrency", "TestSupport"]),
        tests(
            "HTTPServerTests",
            ["HTTPServer", "TestSupport", "TransportSecurity", httpTypes, hummingbird, hummingbirdCore, logging, nioCore, nioPosix, serviceLifecycle]),
        tests(
            "HTTPServiceTests",
            [
                "AccessTokens", "Contracts", "HTTPService", "Observability", "RequestSigning", "StrictJSON", "TestSupport", asyncHTTPClient,
                httpTypes, hummingbird, logging, nioCore,
            ]),
        tests(
            "OpsRiskTests",
            [
                "OpsRisk", "AccessTokens", "AMQP", "Contracts", "StrictJSON", "EventBroker", "EventConsumption", "Outbox", "Postgres",
                "RequestSigning",
                "ServiceDatabase", "ServiceRuntime", "HTTPService", "Idempotency", "Observability", "TestSupport", httpTypes, logging, metrics,
            ]),
        tests(
            "FleetctlTests",
            [
                "Fleetctl", "AMQP", "Contracts", "StrictJSON", "EventBroker", "Postgres", "RequestSigning", "AccessTokens", "ServiceRuntime",
                "TestSupport", crypto,
                httpTypes, logging,
            ]),
        tests(
            "FleetTests",
            [
                "AMQP", "Contracts", "StrictJSON", "EventBroker", "Outbox", "RequestSigning", "AccessTokens", "Postgres", "ServiceClient",
                "ServiceRuntime", "TransportSecurity", "TestSupport", "ServiceIdentity",
                crypto, httpTypes, logging,
            ], exclude: ["schemathesis"]),
        tests("ArchitectureTests", []),
        .testTarget(
            name: "FuzzingTests",
            dependencies: [
                "AccessTokens", "Contracts", "Postgres", "RequestSigning", "ServiceRuntime", "StrictJSON", "HTTPService", "Idempotency",
                "Observability", "WalletLedger", crypto, httpTypes,
            ],
            path: "Tests/Fuzzing", exclude: ["Corpus", "Driver"], swiftSettings: settings),
    ]
)

// FLORIN_FUZZ=1 (infra/local/fuzz.sh): the fuzzer instead of the fleet. Of a module that needs much to build only what it feeds is taken,
// and only our code is instrumented.
if Context.environment["FLORIN_FUZZ"] == "1" {
    let fuzzing = settings + [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])]
    @MainActor func part(
        _ name: String, _ dependencies: [Target.Dependency], of path: String, sources: [String]? = nil, exclude: [String] = []
    ) -> Target {
        .target(name: name, dependencies: dependencies, path: path, exclude: exclude, sources: sources, swiftSettings: fuzzing)
    }
    package.products = [.executable(name: "Fuzz", targets: ["Fuzz"])]
    package.targets = [
        .systemLibrary(name: "CLibPQ", path: "Shared/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        part("StrictJSON", [], of: "Shared/StrictJSON"),
        part("Contracts", ["StrictJSON"], of: "Shared/Contracts", exclude: ["AsyncAPI", "OpenAPI"]),
        part("RequestSigning", [crypto, httpTypes], of: "Shared/RequestSigning"),
        part("AccessTokens", ["StrictJSON", crypto, jwtKit], of: "Shared/AccessTokens"),
        part("BlockingCalls", [], of: "Shared/BlockingCalls"),
        part("Outages", [], of: "Shared/Outages"),
        part("Postgres", ["BlockingCalls", "CLibPQ", "Outages", logging, serviceLifecycle], of: "Shared/Postgres"),
        part(
            "Observability", ["Contracts", "StrictJSON", httpTypes, logging], of: "Shared/Observability",
            sources: [
                "Logging/JSONText.swift", "Logging/Secret.swift", "Tracing/Hexadecimal.swift", "Tracing/OTLPHeaders.swift",
                "Tracing/PairList.swift", "Tracing/RequestID.swift", "Tracing/TraceContext.swift", "Tracing/TraceSampler.swift",
            ]),
        part(
            "ServiceRuntime", ["Observability", configuration, logging], of: "Shared/ServiceRuntime", sources: ["Configuration"],
            exclude: ["Configuration/SpanResource+Settings.swift"]),
        part("Idempotency", ["Contracts", crypto], of: "Shared/Idempotency", sources: ["KeyDigest.swift"]),
        part(
            "HTTPService", ["Contracts", "Idempotency", "StrictJSON"], of: "Shared/HTTPService", sources: ["PageCursor.swift", "QueryReader.swift"]),
        part(
            "WalletLedger", ["Contracts", "HTTPService"], of: "Services/WalletLedger", sources: ["Domain", "HTTP/QueryReader+Ledger.swift"]),
        part(
            "FuzzTargets",
            [
                "AccessTokens", "Contracts", "HTTPService", "Observability", "Postgres", "RequestSigning", "ServiceRuntime", "StrictJSON",
                "WalletLedger", crypto, httpTypes,
            ],
            of: "Tests/Fuzzing", sources: ["FuzzTarget.swift", "Targets"]),
        .executableTarget(
            name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Driver",
            swiftSettings: fuzzing + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
    ]
}
