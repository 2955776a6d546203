/// The checked values of the declared settings.
package struct SettingValues: Sendable {
    private let readings: [String: SettingReading]

    init(readings: [String: SettingReading]) {
        self.readings = readings
    }

    /// The value of a setting, which must be among the declared ones: a setting that is read but not declared is a mistake in the
    /// program, found by the first test that builds the configuration.
    package subscript<Value: Sendable>(setting: Setting<Value>) -> Value {
        guard let box = readings[setting.key]?.box as? SettingBox<Value> else { preconditionFailure("\(setting.key) is read but not declared") }
        return box.value
    }
}
