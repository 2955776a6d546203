import Contracts
import StrictJSON

/// The bodies that the demo sends.
enum DemoBodies {
    static func openWallet(owner: UserID, currency: String = "EUR") -> [UInt8] {
        object { writer in
            writer.member("owner_id", owner.description)
            writer.member("currency", currency)
        }
    }

    static func deposit(to wallet: String, amount: Int64) -> [UInt8] {
        object { writer in
            writer.member("wallet_id", wallet)
            money(amount, &writer)
        }
    }

    static func transfer(from source: String, to destination: String, amount: Int64) -> [UInt8] {
        object { writer in
            writer.member("source_wallet_id", source)
            writer.member("destination_wallet_id", destination)
            money(amount, &writer)
        }
    }

    static func refund(amount: Int64) -> [UInt8] {
        object { writer in money(amount, &writer) }
    }

    static func finalCapture(amount: Int64) -> [UInt8] {
        object { writer in
            money(amount, &writer)
            writer.member("final", true)
        }
    }

    static func batch(_ mode: TransferBatchMode, _ transfers: [[UInt8]]) -> [UInt8] {
        Array("{\"mode\":\"\(mode.rawValue)\",\"transfers\":[".utf8) + transfers.joined(separator: Array(",".utf8)) + Array("]}".utf8)
    }

    static func freezeDebits(reason: String) -> [UInt8] {
        object { writer in
            writer.member("block", FreezeBlock.debits.rawValue)
            writer.member("reason", reason)
        }
    }

    static func reason(_ reason: String) -> [UInt8] {
        object { writer in writer.member("reason", reason) }
    }

    private static func money(_ amount: Int64, _ writer: inout JSONWriter) {
        writer.member("amount", amount)
        writer.member("currency", "EUR")
    }

    private static func object(_ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var writer = JSONWriter()
        writer.object(body)
        return writer.bytes
    }
}
