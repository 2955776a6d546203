import FoundationEssentials
import ServiceRuntime

/// The settings of passwords.
struct CredentialSettings: Sendable {
    private static let costSetting = Setting<ScryptCost>(
        key: "PASSWORD_HASH_COST", summary: "What hashing a password costs: scrypt's N as a power of 2, r and p.",
        expected: "a cost like ln=14,r=8,p=5, in production no weaker than that", isHarmless: true, default: .standard,
        parse: { ScryptCost($0) }, render: { $0.description }
    ).refusedInProduction { !$0.isStrong }
    private static let threadsSetting = Setting<Int>.integer(
        "PASSWORD_HASH_THREADS", "Passwords that are hashed at once; 0 for as many as there are cores.", in: 0...256, unit: "threads", default: 0)
    private static let blocklistSetting = Setting<String>.path(
        "PASSWORD_BLOCKLIST_FILE", "Common passwords that nobody may choose, one a line.", default: "/app/identity/passwords.txt")
    static let declared: [any SettingDeclaration] = [costSetting, threadsSetting, blocklistSetting]

    /// Callers that wait for a thread, for each.
    private static let waitingPerThread = 8
    private static let patience = Duration.seconds(3)
    private static let maximumBlocklistBytes = 64 << 20

    private let cost: ScryptCost
    private let threads: Int
    private let blocklistFile: String

    init(_ values: SettingValues) {
        cost = values[Self.costSetting]
        threads = values[Self.threadsSetting]
        blocklistFile = values[Self.blocklistSetting]
    }

    func hasher() -> PasswordHasher {
        let threads = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
        return PasswordHasher(cost: cost, threads: threads, waiting: threads * Self.waitingPerThread, patience: Self.patience)
    }

    /// Reads the list.
    ///
    /// - Throws: ``InvalidConfiguration`` when it can't be read or is empty: without it anything would do.
    func blocklist() throws(InvalidConfiguration) -> PasswordBlocklist {
        let file = PlainLine.text(blocklistFile)
        guard let data = try? Data(contentsOf: URL(filePath: blocklistFile)) else {
            throw InvalidConfiguration(key: Self.blocklistSetting.key, "can't be used: \(file) can't be read")
        }
        guard data.count <= Self.maximumBlocklistBytes, let text = String(data: data, encoding: .utf8) else {
            throw InvalidConfiguration(key: Self.blocklistSetting.key, "can't be used: \(file) is not a text in UTF-8 of at most 64 MB")
        }
        let list = PasswordBlocklist(lines: text.split(whereSeparator: \.isNewline))
        guard list.count > 0 else {
            throw InvalidConfiguration(key: Self.blocklistSetting.key, "is not accepted: \(file) holds no password")
        }
        return list
    }
}
