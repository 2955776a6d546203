import Foundation
import NIOSSL
import TestSupport
import Testing
import TransportSecurity

@Suite("Certificates and authorities, from files that are replaced")
struct ServerCertificateTests {
    private static let day: Int64 = 86_400
    private let authority: TestAuthority
    private let first: TestAuthority.Issued
    private let second: TestAuthority.Issued
    private let now: Int64

    init() async throws {
        authority = try await TestAuthority()
        first = try await authority.issue("first", hosts: "DNS:localhost")
        second = try await authority.issue("second", hosts: "DNS:localhost")
        now = Int64(Date().timeIntervalSince1970)
    }

    /// Makes one file hold what another does.
    private func replace(_ path: String, with other: String) throws {
        try Data(contentsOf: URL(fileURLWithPath: other)).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    @Test("a pair is taken over when it is replaced, and only then")
    func replaced() throws {
        let certificate = try ServerCertificate(certificateFile: first.certificate, keyFile: first.key, now: now)
        #expect(abs(certificate.expiresAt - (now + 2 * Self.day)) < 3_600)
        let context = certificate.context
        #expect(try !certificate.reloadIfChanged(now: now))
        #expect(certificate.context === context)
        try replace(first.certificate, with: second.certificate)
        #expect(try !certificate.reloadIfChanged(now: now), "half replaced is not wrong yet")
        try replace(first.key, with: second.key)
        #expect(try certificate.reloadIfChanged(now: now))
        #expect(certificate.context !== context)
        #expect(try !certificate.reloadIfChanged(now: now))
    }

    @Test("a key of another certificate, an expired and an unreadable pair keep the old one and are reported at each further look")
    func badPairs() throws {
        let certificate = try ServerCertificate(certificateFile: first.certificate, keyFile: first.key, now: now)
        let context = certificate.context
        let original = authority.folder + "/original"
        try replace(original, with: first.key)
        try replace(first.key, with: second.key)
        #expect(try !certificate.reloadIfChanged(now: now))
        for _ in 0..<2 {
            #expect(throws: CertificateFileError(file: .key, path: first.key, problem: .keyOfAnother)) { try certificate.reloadIfChanged(now: now) }
        }
        try replace(first.certificate, with: second.certificate)
        let late = now + 3 * Self.day
        #expect(try !certificate.reloadIfChanged(now: late))
        #expect(throws: CertificateFileError(file: .certificate, path: first.certificate, problem: .expired)) {
            try certificate.reloadIfChanged(now: late)
        }
        try FileManager.default.removeItem(atPath: first.key)
        #expect(throws: CertificateFileError(file: .key, path: first.key, problem: .unreadable)) { try certificate.reloadIfChanged(now: now) }
        #expect(certificate.context === context)
        try replace(first.key, with: second.key)
        #expect(try certificate.reloadIfChanged(now: now))
    }

    @Test("what a server cannot start with names the file and the rule")
    func unusable() throws {
        let empty = authority.folder + "/empty"
        try Data().write(to: URL(fileURLWithPath: empty))
        func expect(_ certificate: String, _ key: String, _ file: CertificateFileError.File, _ problem: CertificateFileError.Problem, at time: Int64)
        {
            #expect(throws: CertificateFileError(file: file, path: file == .key ? key : certificate, problem: problem)) {
                try ServerCertificate(certificateFile: certificate, keyFile: key, now: time)
            }
        }
        expect("/nonexistent", first.key, .certificate, .unreadable, at: now)
        expect(first.certificate, "/nonexistent", .key, .unreadable, at: now)
        expect(empty, first.key, .certificate, .notCertificates, at: now)
        expect(first.key, first.key, .certificate, .notCertificates, at: now)
        expect(first.certificate, first.certificate, .key, .notAKey, at: now)
        expect(first.certificate, second.key, .key, .keyOfAnother, at: now)
        expect(first.certificate, first.key, .certificate, .expired, at: now + 3 * Self.day)
        expect(first.certificate, first.key, .certificate, .notYetValid, at: now - Self.day)
        #expect(throws: CertificateFileError(file: .authorities, path: empty, problem: .notCertificates)) { try FleetAuthorities(file: empty) }
    }

    @Test("authorities are taken over when they are replaced; a bad file keeps the old ones")
    func authorities() async throws {
        let file = authority.folder + "/authorities.crt"
        try replace(file, with: authority.certificate)
        let authorities = try FleetAuthorities(file: file)
        #expect(try !authorities.reloadIfChanged())
        try Data("-----BEGIN CERTIFICATE-----\n".utf8).write(to: URL(fileURLWithPath: file))
        #expect(throws: CertificateFileError.self) { try authorities.reloadIfChanged() }
        let other = try await TestAuthority()
        let both = try [authority.certificate, other.certificate].map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
        try Data(both.utf8).write(to: URL(fileURLWithPath: file))
        #expect(try authorities.reloadIfChanged())
        guard case .certificates(let roots)? = authorities.clientConfiguration.trustRoots else {
            Issue.record("no certificates")
            return
        }
        #expect(roots.count == 2)
        #expect(authorities.clientConfiguration.certificateVerification == .fullVerification)
    }
}
