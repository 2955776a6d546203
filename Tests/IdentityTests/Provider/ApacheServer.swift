import Foundation
import Synchronization
import TestSupport

/// A private Apache with Debian's mod_auth_openidc: one process, loopback only, its own folder and configuration. It ends with the test
/// process, however that ends.
///
/// `/private/page.txt` is for people who have signed in with the provider, `/api/page.txt` for who brings one of its access tokens, which
/// it has introspected each time.
final class ApacheServer: Sendable {
    /// What the provider knows it as.
    struct Registration: Sendable {
        let issuer: String
        let clientID: String
        let clientSecret: String
        let resourceID: String
        let resourceSecret: String
    }

    struct StartFailure: Error { let description: String }

    static let callback = "/private/callback"
    static let page = "/private/page.txt"
    static let resource = "/api/page.txt"
    private static let binary = "/usr/sbin/apache2"
    private static let modules = ["mpm_prefork", "authn_core", "authz_core", "authz_user", "headers", "auth_openidc"]

    let port: Int
    private let home: TemporaryFolder
    private let process: pid_t
    private let watchdog: Watchdog

    /// - Parameter port: One of `FreePort`, known before, since the provider must know where to send browsers back to.
    static func start(port: Int, as registration: Registration) async throws -> ApacheServer {
        let server = try ApacheServer(port: port, registration)
        guard try await eventually({ FreePort.answers(port) }) else { throw StartFailure(description: "Apache does not answer: \(server.log)") }
        return server
    }

    private init(port: Int, _ registration: Registration) throws {
        self.port = port
        home = try TemporaryFolder("apache")
        for page in [Self.page, Self.resource] {
            let file = URL(filePath: "\(home.path)/content\(page)")
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("for you\n".utf8).write(to: file)
        }
        // Its secrets are in a file that only this user can read, never in the process list.
        let settings = Data(Self.settings(home.path, port, registration).utf8)
        _ = FileManager.default.createFile(atPath: "\(home.path)/httpd.conf", contents: settings, attributes: [.posixPermissions: 0o600])
        watchdog = try Watchdog(
            script: "pid=$(cat \"$1/pid\" 2>/dev/null); [ -n \"$pid\" ] && [ \"$(readlink \"/proc/$pid/cwd\")\" = \"$1\" ] && kill -9 \"$pid\"",
            arguments: [home.path], as: { $0 })
        process = try Shell.spawn(
            ["/bin/sh", "-c", "cd \"$1\" && exec \"$2\" -X -f \"$1/httpd.conf\"", "sh", home.path, Self.binary], input: nil,
            output: "\(home.path)/output")
    }

    deinit {
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        watchdog.release()
    }

    /// What it wrote about what went wrong.
    var log: String {
        ["output", "error.log"].map { (try? String(contentsOfFile: "\(home.path)/\($0)", encoding: .utf8)) ?? "" }.joined()
    }

    private static func settings(_ folder: String, _ port: Int, _ registration: Registration) -> String {
        let loaded = modules.map { "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so" }.joined(separator: "\n")
        return """
            ServerRoot "\(folder)"
            ServerName 127.0.0.1
            Listen 127.0.0.1:\(port)
            PidFile pid
            ErrorLog error.log
            Mutex flock:\(folder) default
            User www-data
            Group www-data
            \(loaded)
            LogLevel warn auth_openidc:info
            DocumentRoot "\(folder)/content"
            OIDCProviderMetadataURL \(registration.issuer)/.well-known/openid-configuration
            OIDCClientID \(registration.clientID)
            OIDCClientSecret \(registration.clientSecret)
            OIDCRedirectURI http://127.0.0.1:\(port)\(callback)
            OIDCCryptoPassphrase \(UUID().uuidString)
            OIDCScope "openid profile email offline_access wallet"
            OIDCPKCEMethod S256
            OIDCIDTokenSignedResponseAlg ES256
            OIDCInfoHook access_token id_token userinfo refresh_token
            OIDCPassClaimsAs environment
            OIDCOAuthServerMetadataURL \(registration.issuer)/.well-known/oauth-authorization-server
            OIDCOAuthClientID \(registration.resourceID)
            OIDCOAuthClientSecret \(registration.resourceSecret)
            OIDCOAuthRemoteUserClaim sub
            OIDCOAuthTokenIntrospectionInterval -1
            Header always set Seen-Subject "expr=%{reqenv:OIDC_CLAIM_sub}"
            Header always set Seen-Email "expr=%{reqenv:OIDC_CLAIM_email}"
            <Location /private>
            AuthType openid-connect
            Require valid-user
            </Location>
            <Location /api>
            AuthType oauth20
            Require claim "scope~(^| )wallet( |$)"
            </Location>

            """
    }
}
