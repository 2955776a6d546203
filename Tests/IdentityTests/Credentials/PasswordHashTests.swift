import Foundation
import Observability
import Testing

@testable import Identity

@Suite struct PasswordHashTests {
    private static let salt = "AAECAwQFBgcICQoLDA0ODw"
    private static let hash = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

    @Test func `a hash is read as it is written, in one spelling`() throws {
        let text = "$scrypt$ln=14,r=8,p=5$\(Self.salt)$\(Self.hash)"
        let hash = try #require(PasswordHash(text))
        #expect(hash.phc == text && hash.cost == .standard && hash.salt.count == 16 && hash.hash == Array(0..<32))
        #expect(!"\(hash)\(String(reflecting: hash))".contains(Self.hash))
    }

    @Test(
        "another spelling, and what would take too much memory or time, is no hash",
        arguments: [
            "", "$scrypt$", "scrypt$ln=14,r=8,p=5$\(salt)$\(hash)", "$scrypt$ln=14,r=8,p=5$\(salt)$\(hash)$",
            "$scrypt$ln=14,r=8,p=5$\(salt)$\(hash)=",
            "$scrypt$ln=14,r=8,p=5$\(salt)==$\(hash)", "$SCRYPT$ln=14,r=8,p=5$\(salt)$\(hash)", "$argon2id$ln=14,r=8,p=5$\(salt)$\(hash)",
            "$scrypt$ln=014,r=8,p=5$\(salt)$\(hash)", "$scrypt$ln=+14,r=8,p=5$\(salt)$\(hash)", "$scrypt$r=8,ln=14,p=5$\(salt)$\(hash)",
            "$scrypt$ln=14,r=8$\(salt)$\(hash)", "$scrypt$ln=14,r=8,p=5,x=1$\(salt)$\(hash)", "$scrypt$ln=14, r=8,p=5$\(salt)$\(hash)",
            "$scrypt$ln=0,r=8,p=5$\(salt)$\(hash)", "$scrypt$ln=21,r=1,p=1$\(salt)$\(hash)", "$scrypt$ln=20,r=8,p=1$\(salt)$\(hash)",
            "$scrypt$ln=14,r=0,p=5$\(salt)$\(hash)", "$scrypt$ln=14,r=33,p=5$\(salt)$\(hash)", "$scrypt$ln=14,r=8,p=17$\(salt)$\(hash)",
            "$scrypt$ln=99999999999999999999,r=8,p=5$\(salt)$\(hash)", "$scrypt$ln=14,r=8,p=5$$\(hash)", "$scrypt$ln=14,r=8,p=5$\(salt)$",
            "$scrypt$ln=14,r=8,p=5$AAECAw$\(hash)", "$scrypt$ln=14,r=8,p=5$\(salt)$AAECAw", "$scrypt$ln=14,r=8,p=5$AAECAwQFBgcICQoLDA0ODx$\(hash)",
            "$scrypt$ln=14,r=8,p=5$\(salt)$\(hash.dropLast())9", "$scrypt$ln=14,r=8,p=5$\(salt)\n$\(hash)",
            "$scrypt$ln=14,r=8,p=5$\(salt)$\(String(repeating: "A", count: 88))",
            "$scrypt$ln=14,r=8,p=5$\(salt)$\(String(repeating: "A", count: 400))",
        ]
    ) func refused(text: String) {
        #expect(PasswordHash(text) == nil)
    }

    @Test func `a cost is strong from the standard upwards`() throws {
        #expect(ScryptCost.standard.isStrong && "\(ScryptCost.standard)" == "ln=14,r=8,p=5")
        #expect(try #require(ScryptCost("ln=15,r=8,p=3")).isStrong && (try #require(ScryptCost("ln=16,r=8,p=2"))).isStrong)
        for weak in ["ln=14,r=8,p=4", "ln=13,r=8,p=10", "ln=15,r=4,p=2", "ln=10,r=8,p=16"] {
            #expect(try !#require(ScryptCost(weak)).isStrong, "\(weak)")
        }
    }
}

@Suite struct PasswordHasherTests {
    private static let cheap = ScryptCost("ln=4,r=8,p=1")!

    private func hasher(cost: ScryptCost = cheap, threads: Int = 2, waiting: Int = 16, patience: Duration = .seconds(60)) -> PasswordHasher {
        PasswordHasher(cost: cost, threads: threads, waiting: waiting, patience: patience)
    }

    @Test func `RFC 7914, section 12: the vector of password and NaCl`() async throws {
        let hash = PasswordHash(
            cost: try #require(ScryptCost("ln=10,r=8,p=16")), salt: Array("NaCl".utf8),
            hash: [
                0xFD, 0xBA, 0xBE, 0x1C, 0x9D, 0x34, 0x72, 0x00, 0x78, 0x56, 0xE7, 0x19, 0x0D, 0x01, 0xE9, 0xFE, 0x7C, 0x6A, 0xD7, 0xCB, 0xC8, 0x23,
                0x78, 0x30, 0xE7, 0x73, 0x76, 0x63, 0x4B, 0x37, 0x31, 0x62, 0x2E, 0xAF, 0x30, 0xD9, 0x2E, 0x22, 0xA3, 0x88, 0x6F, 0xF1, 0x09, 0x27,
                0x9D, 0x98, 0x30, 0xDA, 0xC7, 0x27, 0xAF, 0xB9, 0x4A, 0x83, 0xEE, 0x6D, 0x83, 0x60, 0xCB, 0xDF, 0xA2, 0xCC, 0x06, 0x40,
            ])
        #expect(try await hasher().verify(try PreparedPassword("password"), against: hash))
        #expect(try await !hasher().verify(try PreparedPassword("Password"), against: hash))
    }

    @Test func `a password is verified against its own hash, of whatever cost; every hash has a salt of its own; nobody's is of none`() async throws {
        let (hasher, password) = (hasher(), try PreparedPassword("correct horse battery"))
        let (first, second) = (try await hasher.hash(password), try await hasher.hash(password))
        #expect(first != second && first.salt != second.salt && first.cost == Self.cheap)
        let dearer = self.hasher(cost: try #require(ScryptCost("ln=5,r=8,p=2")))
        #expect(try await dearer.verify(password, against: PasswordHash(first.phc)))
        #expect(try await !hasher.verify(try PreparedPassword("correct horse batterY"), against: first))
        #expect(try await !hasher.verify(password, against: nil))
    }

    @Test func `ID-11: a long password counts to its last byte`() async throws {
        let long = String(repeating: "0123456789", count: 20)
        let hash = try await hasher().hash(try PreparedPassword(long))
        #expect(try await hasher().verify(try PreparedPassword(long), against: hash))
        #expect(try await !hasher().verify(try PreparedPassword(String(long.prefix(72))), against: hash))
        #expect(try await !hasher().verify(try PreparedPassword(String(long.dropLast()) + "8"), against: hash))
    }

    @Test func `ID-16: no more hashes run than there are threads, a few wait, the rest is refused at once and everybody alike`() async throws {
        let hasher = hasher(cost: try #require(ScryptCost("ln=12,r=8,p=4")), threads: 1, waiting: 3)
        let password = try PreparedPassword("correct horse battery")
        let hash = try await hasher.hash(password)
        let outcomes = await withTaskGroup(of: (isOverloaded: Bool, isRight: Bool).self) { group in
            for index in 0..<40 {
                group.addTask {
                    do throws(CredentialRefusal) {
                        return (false, try await hasher.verify(password, against: index.isMultiple(of: 2) ? hash : nil))
                    } catch {
                        return (error == .overloaded, false)
                    }
                }
            }
            var most = 0
            var outcomes: [(isOverloaded: Bool, isRight: Bool)] = []
            for await outcome in group {
                outcomes.append(outcome)
                most = max(most, hasher.statistics.underWay)
            }
            #expect(most <= 1)
            return outcomes
        }
        #expect(outcomes.filter(\.isRight).count >= 1 && outcomes.contains { $0.isOverloaded })
        #expect(hasher.statistics.underWay == 0 && hasher.statistics.waiting == 0)
    }

    @Test func `who waits longer than there is time is refused, and the pool is as before`() async throws {
        let hasher = hasher()
        let password = try PreparedPassword("correct horse battery")
        let blocked = self.hasher(threads: 0)
        let metrics = PrometheusRegistry()
        blocked.observe(in: metrics)
        await #expect(throws: CredentialRefusal.overloaded) { try await blocked.hash(password, until: .now + .milliseconds(1)) }
        let shown = metrics.render()
        #expect(shown.contains("identity_password_hashes_refused_total 1") && shown.contains(#"identity_password_hashes{state="waiting"} 0"#))
        #expect(blocked.statistics.underWay == 0 && blocked.statistics.waiting == 0)
        _ = try await hasher.hash(password, until: .now + .seconds(60))
    }
}
