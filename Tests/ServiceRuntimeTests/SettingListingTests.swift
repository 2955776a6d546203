import Foundation
import ServiceRuntime
import Testing

@Suite("Listing of settings")
struct SettingListingTests {
    private func listing(_ environment: [String: String]) -> SettingListing {
        SettingListing(of: ExampleSettings.allDeclared, environment: environment)
    }

    @Test("every declared setting is listed with its unit, default and value")
    func rows() throws {
        let listing = listing(ExampleSettings.minimum.merging(["EXAMPLE_LOCK_TIMEOUT": "60s"]) { $1 })
        #expect(listing.rows.map(\.key) == ExampleSettings.allDeclared.map(\.key))
        let row = try #require(listing.rows.first { $0.key == "EXAMPLE_LOCK_TIMEOUT" })
        #expect(row.unit == "duration")
        #expect(row.defaultValue == "5s")
        #expect(row.value == "1m")
        #expect(listing.isAccepted)
        #expect(listing.table.split(separator: "\n").count == listing.rows.count + 1)
    }

    @Test("a secret shows only whether it is set")
    func secrets() {
        let set = listing(ExampleSettings.minimum)
        let unset = listing([:])
        #expect(set.rows.first { $0.key == "EXAMPLE_DATABASE_URL" }?.value == "<set>")
        #expect(unset.rows.first { $0.key == "EXAMPLE_DATABASE_URL" }?.value == "<unset>")
        let bad = listing(["EXAMPLE_DATABASE_URL": "mysql://u:hunter2@h"])
        for text in [set.table, set.json, bad.table, bad.json] { #expect(!text.contains("hunter2")) }
    }

    @Test("a bad value is listed with its problem, and the listing says that it would stop the start")
    func problems() {
        let listing = listing(ExampleSettings.minimum.merging(["EXAMPLE_BATCH_LIMIT": "0"]) { $1 })
        #expect(!listing.isAccepted)
        #expect(listing.rows.compactMap(\.problem) == ["EXAMPLE_BATCH_LIMIT=0 is not accepted: expected a whole number from 1 to 256"])
        #expect(listing.table.hasSuffix("refused: EXAMPLE_BATCH_LIMIT=0 is not accepted: expected a whole number from 1 to 256"))
    }

    @Test("the JSON form has an object for each setting")
    func json() throws {
        let listing = listing(ExampleSettings.minimum)
        let parsed = try #require(try JSONSerialization.jsonObject(with: Data(listing.json.utf8)) as? [[String: Any]])
        #expect(parsed.count == listing.rows.count)
        let limit = try #require(parsed.first { $0["key"] as? String == "EXAMPLE_BATCH_LIMIT" })
        #expect(limit["default"] as? String == "64")
        #expect(limit["unit"] as? String == "transfers")
        #expect(limit["problem"] is NSNull)
    }
}
