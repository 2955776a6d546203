// swift-tools-version: 6.2
// The target graph. Read from top to bottom it is the order of dependency: shared modules, what a service is made of, services, tests of all.
import PackageDescription

/// The package of each product used: a target names a product as it names a module.
var packageOfProduct: [String: String] = [:]

let packages = [
    package("hummingbird-project/hummingbird", "2.28.1", traits: ["ConfigurationSupport"], ["Hummingbird", "HummingbirdCore"]),
    package("apple/swift-configuration", "1.4.0", traits: [], ["Configuration"]),
    package("swift-server/async-http-client", "1.37.0", ["AsyncHTTPClient"]),
    package("vapor/jwt-kit", "5.7.1", ["JWTKit"]),
    package("apple/swift-crypto", "4.5.2", ["Crypto", "CryptoExtras"]),
    package("hummingbird-project/swift-mustache", "2.1.1", ["Mustache"]),
    package("swift-server/swift-service-lifecycle", "2.13.0", ["ServiceLifecycle", "UnixSignals"]),
    package("apple/swift-log", "1.16.2", ["Logging"]),
    package("apple/swift-metrics", "2.13.0", ["CoreMetrics", "Metrics"]),
    package("apple/swift-distributed-tracing", "1.7.3", ["Tracing"]),
    package("apple/swift-argument-parser", "1.8.2", ["ArgumentParser"]),
    package("apple/swift-collections", "1.6.0", ["DequeModule"]),
    package("apple/swift-http-types", "1.8.0", ["HTTPTypes"]),
    package("apple/swift-nio", "2.101.2", ["NIOCore", "NIOHTTP1", "NIOPosix"]),
    package("apple/swift-nio-ssl", "2.37.6", ["NIOSSL"]),
    package("jpsim/Yams", "6.2.2", ["Yams"]),
]

/// What a process of the fleet stands on; what it gets with an API, a database, events to publish or to consume. A service names its sets.
let process = [
    "Concurrency", "Contracts", "Fleet", "Observability", "ServiceRuntime", "StrictJSON", "ArgumentParser", "CoreMetrics", "Logging", "Metrics",
    "ServiceLifecycle", "Tracing",
]
let api = ["APIService", "AccessTokens", "HTTPService", "Idempotency", "ServiceIdentity", "HTTPTypes", "Hummingbird", "NIOCore"]
let database = ["Outbox", "Postgres", "ServiceDatabase"]
let broker = ["AMQP", "EventBroker"]
let consumption = ["EventBroker", "EventConsumption"]

/// What tests start and read, whichever module they are of.
let testing = [
    "AccessTokens", "Concurrency", "Contracts", "Fleet", "Observability", "Postgres", "RequestSigning", "ServiceRuntime", "StrictJSON",
    "TransportSecurity",
    "CoreMetrics", "Crypto", "HTTPTypes", "Logging", "Metrics", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "ServiceLifecycle", "Tracing",
]

let florin = Package(
    name: "florin",
    platforms: [.macOS(.v15)],
    dependencies: packages,
    targets: [
        .systemLibrary(name: "CLibPQ", path: "Shared/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CRabbitMQ", path: "Shared/CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CCurl", path: "Shared/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        target(.regular, "Tests/TestSupport", testing),
        tests("ArchitectureTests", []),
        tests(
            "FuzzingTests", ["Egress", "HTTPService", "Identity", "Sealing", "WalletLedger"], at: "Tests/Fuzzing",
            exclude: ["Corpus", "Driver", "Package.swift", "Services", "Shared"]),
    ]
)

shared("StrictJSON", [])
shared("Fleet", [], tests: api + database + broker + ["ServiceClient"], ofTests: ["schemathesis"])
shared("Contracts", ["StrictJSON"], exclude: ["AsyncAPI", "OpenAPI"], ofTests: ["crosscheck", "golden"])
shared("RequestSigning", ["Crypto", "HTTPTypes"], ofTests: ["crosscheck"])
shared("Sealing", ["Contracts", "StrictJSON", "Crypto"])
shared("AccessTokens", ["StrictJSON", "Crypto", "JWTKit"])
shared("EncryptionKeys", ["StrictJSON", "Crypto"])
shared("TransportSecurity", ["NIOCore", "NIOSSL"])
shared("BlockingCalls", [])
shared("Outages", [])
shared("Concurrency", ["ServiceLifecycle"], tests: ["Logging"])
shared("Postgres", ["BlockingCalls", "Concurrency", "CLibPQ", "Outages", "Logging", "ServiceLifecycle"])
shared("AMQP", ["BlockingCalls", "Concurrency", "CRabbitMQ", "Outages", "CoreMetrics", "DequeModule", "Logging", "ServiceLifecycle"])
shared("Egress", ["BlockingCalls", "CCurl"])
shared("Redis", ["Concurrency", "Outages", "CoreMetrics", "DequeModule", "Logging", "Metrics", "NIOCore", "NIOPosix", "NIOSSL", "ServiceLifecycle"])
shared(
    "Observability",
    [
        "Concurrency", "Contracts", "StrictJSON", "AsyncHTTPClient", "CoreMetrics", "HTTPTypes", "Logging", "Metrics", "NIOCore", "NIOHTTP1",
        "NIOPosix",
        "ServiceLifecycle", "Tracing",
    ], ofTests: ["otlp"])
shared(
    "HTTPServer",
    [
        "Contracts", "Observability", "TransportSecurity", "CoreMetrics", "HTTPTypes", "HummingbirdCore", "Logging", "Metrics", "NIOCore", "NIOHTTP1",
        "NIOSSL",
    ], exclude: ["README.md"], tests: ["Hummingbird"])
shared(
    "ServiceRuntime",
    [
        "BlockingCalls", "Concurrency", "Contracts", "HTTPServer", "Observability", "ArgumentParser", "Configuration", "CoreMetrics", "HTTPTypes",
        "Hummingbird", "HummingbirdCore", "Logging", "Metrics", "NIOCore", "NIOPosix", "NIOSSL", "ServiceLifecycle", "Tracing", "UnixSignals",
    ])
shared("Idempotency", ["Contracts", "StrictJSON", "Crypto"], exclude: ["README.md"], tests: ["ServiceDatabase"], ofTests: ["migrations"])
shared("ServiceDatabase", process + ["Idempotency", "Postgres"])
shared("Outbox", ["Contracts", "Postgres"], exclude: ["README.md"])
shared("EventBroker", ["AMQP", "Contracts", "Fleet", "Observability", "ServiceRuntime", "StrictJSON", "TransportSecurity", "ArgumentParser"])
shared(
    "EventConsumption", process + broker + ["EncryptionKeys", "Outages", "Postgres", "ServiceDatabase", "Crypto"], exclude: ["README.md"],
    ofTests: ["migrations"])
shared(
    "WorkQueue", process + ["EventBroker", "Outages", "Postgres", "ServiceDatabase"], exclude: ["README.md"],
    ofTests: ["migrations"])
shared("ReplayProtection", process + ["Redis", "RequestSigning", "TransportSecurity", "Crypto", "NIOSSL"])
shared("ServiceIdentity", process + ["RequestSigning", "TransportSecurity", "AsyncHTTPClient", "NIOCore", "NIOHTTP1"])
shared(
    "HTTPService",
    process + [
        "AccessTokens", "HTTPServer", "Idempotency", "Redis", "ReplayProtection", "RequestSigning", "ServiceIdentity", "TransportSecurity",
        "AsyncHTTPClient", "HTTPTypes", "Hummingbird", "HummingbirdCore", "NIOCore", "NIOHTTP1", "NIOPosix",
    ], exclude: ["README.md"])
shared("APIService", process + database + ["AccessTokens", "HTTPService", "Idempotency", "ServiceIdentity"])
shared(
    "ServiceClient",
    process + ["RequestSigning", "ServiceIdentity", "TransportSecurity", "AsyncHTTPClient", "HTTPTypes", "NIOCore", "NIOHTTP1", "NIOSSL"],
    exclude: ["README.md"], tests: ["HTTPService"])

service("wallet-ledger", process + api + database + ["Crypto", "DequeModule", "NIOPosix"], exclude: ["TIMES.md"])
service("ops-risk", process + api + database + consumption, tests: broker)
service(
    "identity",
    process + api + database + ["BlockingCalls", "EncryptionKeys", "Sealing", "Crypto", "CryptoExtras", "JWTKit", "Mustache", "NIOPosix"],
    exclude: ["Pages/README.md", "Pages/style.css", "Pages/templates", "Pages/texts"], ofTests: ["Pages/browser", "crosscheck", "relyingparty"])
service("notification", process + database + consumption + ["AMQP", "Egress", "Sealing", "WorkQueue", "Mustache"], tests: broker)
service("outbox-relay", process + database + broker + ["DequeModule"])
service(
    "fleetctl",
    process + broker + [
        "AccessTokens", "Postgres", "RequestSigning", "ServiceClient", "Sealing", "ServiceDatabase", "ServiceIdentity", "Crypto",
        "CryptoExtras", "HTTPTypes", "NIOCore", "NIOPosix", "Yams",
    ])

@MainActor func package(
    _ path: String, _ version: Version, traits: Set<Package.Dependency.Trait> = [.defaults], _ products: [String]
) -> Package.Dependency {
    for product in products { packageOfProduct[product] = path.split(separator: "/").last.map(String.init) }
    return .package(url: "https://github.com/\(path)", from: version, traits: traits)
}

/// A module below Shared and its tests.
@MainActor func shared(_ name: String, _ uses: [String], exclude: [String] = [], tests extra: [String] = [], ofTests: [String] = []) {
    florin.targets += [
        target(.regular, "Shared/\(name)", uses, exclude: exclude), tests(name + "Tests", [name] + uses + extra, exclude: ofTests),
    ]
}

/// A service by its executable's name: `ops-risk` is the module OpsRisk in Services/OpsRisk, tested by Tests/OpsRiskTests.
@MainActor func service(
    _ executable: String, _ uses: [String], exclude: [String] = [], tests extra: [String] = [], ofTests: [String] = []
) {
    let name = executable.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    florin.products.append(.executable(name: executable, targets: [name]))
    florin.targets += [
        target(.executable, "Services/\(name)", uses, exclude: ["README.md"] + exclude),
        tests(name + "Tests", [name] + uses + extra, exclude: ofTests),
    ]
}

@MainActor func tests(_ name: String, _ uses: [String], at path: String? = nil, exclude: [String] = []) -> Target {
    target(.test, path ?? "Tests/\(name)", name: name, ["TestSupport"] + testing + uses, exclude: exclude)
}

/// The names may come in several sets, so each counts once.
@MainActor func target(_ kind: Target.TargetType, _ path: String, name: String? = nil, _ uses: [String], exclude: [String] = []) -> Target {
    let name = name ?? String(path.split(separator: "/").last ?? "")
    let dependencies = Set(uses).sorted().map { use -> Target.Dependency in
        guard let package = packageOfProduct[use] else { return .byName(name: use) }
        return .product(name: use, package: package)
    }
    let settings: [SwiftSetting] = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    switch kind {
    case .executable:
        return .executableTarget(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
    case .test:
        return .testTarget(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
    default:
        return .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
    }
}
