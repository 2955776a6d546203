import Contracts
import EventBroker
import Testing

@Suite("The age of what is replayed") struct ReplayAgeTests {
    @Test("without force it is 14 days and not a microsecond more")
    func limit() {
        let now = Timestamp(microsecondsSinceUnixEpoch: 1_800_000_000_000_000)
        let fortnight = Duration.seconds(14 * 24 * 3_600)
        #expect(!ReplayAge.isExceeded(since: now.earlier(by: fortnight), now: now))
        #expect(ReplayAge.isExceeded(since: now.earlier(by: fortnight + .microseconds(1)), now: now))
        #expect(ReplayAge.text == "14 days")
    }
}
