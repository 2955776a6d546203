// swift-tools-version: 6.2
// The fuzzer: `infra/local/fuzz.sh` builds it. Of a module that needs much to build only what it feeds is taken, and only our code is
// instrumented. Shared and Services are links, for a package can't reach outside its own folder, nor another package's `package` declarations.
import PackageDescription

let package = Package(
    name: "florin-fuzzing",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "Fuzz", targets: ["Fuzz"])],
    // The versions are those of the package above, whose Package.resolved is copied here.
    dependencies: [
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", path: "Shared/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CCurl", path: "Shared/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        part("StrictJSON", []),
        part("Contracts", ["StrictJSON"], exclude: ["AsyncAPI", "OpenAPI"]),
        part("RequestSigning", [crypto, httpTypes]),
        part("AccessTokens", ["StrictJSON", crypto, .product(name: "JWTKit", package: "jwt-kit")]),
        part("BlockingCalls", []),
        part("Outages", []),
        part("Concurrency", [.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")]),
        part(
            "Postgres",
            ["BlockingCalls", "Concurrency", "CLibPQ", "Outages", logging, .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")]),
        part(
            "Observability", ["Contracts", "StrictJSON", httpTypes, logging],
            sources: [
                "Logging/JSONText.swift", "Logging/Secret.swift", "Tracing/Hexadecimal.swift", "Tracing/OTLPHeaders.swift",
                "Tracing/PairList.swift", "Tracing/RequestID.swift", "Tracing/TraceContext.swift", "Tracing/TraceSampler.swift",
            ]),
        part(
            "ServiceRuntime", ["Observability", .product(name: "Configuration", package: "swift-configuration"), logging],
            exclude: ["Configuration/SpanResource+Settings.swift"], sources: ["Configuration"]),
        part("Idempotency", ["Contracts", crypto], sources: ["KeyDigest.swift"]),
        part(
            "HTTPService", ["Contracts", "Idempotency", "StrictJSON", httpTypes],
            sources: [
                "BrowserOrigin.swift", "ClientCredentials.swift", "Form.swift", "HTTPFieldName+Florin.swift", "PageCursor.swift", "QueryReader.swift",
            ]),
        part(
            "Identity", ["AccessTokens", "Contracts", "Postgres", "StrictJSON", crypto, httpTypes], of: "Services",
            sources: [
                "AuthorizationError", "AuthorizationRequest", "BrowserName", "EmailAddress", "MailedCode", "NewPassword", "NormalForm", "OAuthClient",
                "OAuthParameters", "PasswordBlocklist", "PasswordHash", "PreparedPassword", "ProofKey", "Punycode", "QRCode", "QRContent",
                "QRPenalty", "RecoveryCode", "RedirectURI", "ScopeRules", "ScryptCost", "TOTPEnrolment",
            ].map { "Domain/\($0).swift" } + [
                "Database/AuthorizationRequest+JSON.swift", "Database/BrowserSecret.swift", "Database/OpaqueSecret.swift",
                "Database/RefreshToken.swift", "Database/UnreadableRow.swift", "HTTP/BrowserCookie.swift", "HTTP/ClientNetwork.swift",
                "Pages/PageLanguage.swift", "Pages/RedirectTarget.swift", "UseCases/TOTP.swift",
            ]),
        part(
            "Egress", ["CCurl"],
            sources: ["HeaderText", "MailAddress", "MailDate", "MailDomain", "MailMessage", "MailOutcome", "QuotedPrintable", "SMTPProgress"]
                .map { "\($0).swift" }),
        part("Sealing", ["Contracts", "StrictJSON", crypto]),
        part("WalletLedger", ["Contracts", "HTTPService"], of: "Services", sources: ["Domain", "HTTP/QueryReader+Ledger.swift"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "AccessTokens", "Contracts", "Egress", "HTTPService", "Identity", "Observability", "Postgres", "RequestSigning", "Sealing",
                "ServiceRuntime", "StrictJSON", "WalletLedger", crypto, httpTypes,
            ],
            path: ".", exclude: ["Corpus", "CorpusTests.swift", "Driver", "Services", "Shared"], sources: ["FuzzTarget.swift", "Targets"],
            swiftSettings: settings),
        .executableTarget(
            name: "Fuzz", dependencies: ["FuzzTargets"], path: "Driver", swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
    ]
)

var crypto: Target.Dependency { .product(name: "Crypto", package: "swift-crypto") }
var httpTypes: Target.Dependency { .product(name: "HTTPTypes", package: "swift-http-types") }
var logging: Target.Dependency { .product(name: "Logging", package: "swift-log") }

// Computed, because a constant below `package` would be read before it is set.
var settings: [SwiftSetting] {
    [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"]),
    ]
}

@MainActor func part(
    _ name: String, _ dependencies: [Target.Dependency], of folder: String = "Shared", exclude: [String] = [], sources: [String]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, path: "\(folder)/\(name)", exclude: exclude, sources: sources, swiftSettings: settings)
}
