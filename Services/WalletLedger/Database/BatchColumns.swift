import FoundationEssentials
import Postgres

/// The rows of a batch as columns: one array per parameter of the functions `write_batch` and `post_batch`.
struct BatchColumns {
    struct Wallets {
        var ids: [UUID] = []
        var balances: [Int64] = []
        var helds: [Int64] = []
        var versions: [Int64] = []
        var previousVersions: [Int64] = []
        var times: [PostgresTimestamp] = []
    }

    struct Transfers {
        var ids: [UUID] = []
        var kinds: [Int16] = []
        var amounts: [Int64] = []
        var currencies: [String] = []
        var sources: [UUID] = []
        var sourceVersions: [Int64] = []
        var sourceBalances: [Int64] = []
        var destinations: [UUID] = []
        var destinationVersions: [Int64] = []
        var destinationBalances: [Int64] = []
        var originals: [UUID?] = []
        var holds: [UUID?] = []
        var principals: [String] = []
        var references: [String?] = []
        var keys: [UUID] = []
        var times: [PostgresTimestamp] = []
        var sourceTimes: [PostgresTimestamp] = []
        var destinationTimes: [PostgresTimestamp] = []
    }

    /// What was refunded of a transfer, in the order of ids.
    struct Refunds {
        var ids: [UUID] = []
        var originals: [Int64] = []
        var amounts: [Int64] = []
    }

    struct Holds {
        var ids: [UUID] = []
        var wallets: [UUID] = []
        var destinations: [UUID] = []
        var amounts: [Int64] = []
        var currencies: [String] = []
        var captured: [Int64] = []
        var statuses: [Int16] = []
        var principals: [String] = []
        var placedAt: [PostgresTimestamp] = []
        var expiresAt: [PostgresTimestamp] = []
    }

    struct HoldChanges {
        var wallets: [UUID] = []
        var versions: [Int64] = []
        var holds: [UUID] = []
        var kinds: [Int16] = []
        var placed: [Int64] = []
        var captured: [Int64] = []
        var released: [Int64] = []
        var heldAfter: [Int64] = []
        var capturedAfter: [Int64] = []
        var statusAfter: [Int16] = []
        var transfers: [UUID?] = []
        var events: [UUID] = []
        var times: [PostgresTimestamp] = []
    }

    struct Keys {
        var ids: [UUID] = []
        var callers: [String] = []
        var principals: [String] = []
        var keys: [String] = []
        var requests: [String] = []
        var outcomes: [Int16] = []
        var subjects: [UUID?] = []
        var subjectVersions: [Int64?] = []
        var refusals: [String?] = []
        var requestIDs: [String?] = []
    }

    struct Events {
        var ids: [UUID] = []
        var types: [String] = []
        var subjects: [String] = []
        var partitions: [String] = []
        var traces: [String?] = []
        var data: [String] = []
        var times: [PostgresTimestamp] = []
    }

    var wallets = Wallets()
    var transfers = Transfers()
    var refunds = Refunds()
    var holds = Holds()
    var holdChanges = HoldChanges()
    var keys = Keys()
    var events = Events()
}
