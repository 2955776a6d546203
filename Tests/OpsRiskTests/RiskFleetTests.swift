import Fleet
import HTTPService
import Testing

@testable import OpsRisk

@Suite("ops-risk in the fleet")
struct RiskFleetTests {
    @Test("whom its grants let in is who calls it")
    func callers() {
        #expect(RiskGrants.staff.callers == Set(FleetService.opsRisk.api?.callers ?? []))
    }
}
