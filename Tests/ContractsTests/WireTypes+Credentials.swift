import Contracts

extension WireType {
    /// Those of what people sign in with.
    static let credentials = [
        WireType("ChangePasswordRequest", values: ChangePasswordRequest(currentPassword: "p", newPassword: "q")),
        WireType(
            "TOTPEnrolment",
            values: TOTPEnrolmentBody(secret: "GEZDGNBV", uri: "otpauth://totp/a?secret=GEZDGNBV", qrCode: "<svg/>", expiresAt: Samples.time)),
        WireType("ConfirmTOTPRequest", values: ConfirmTOTPRequest(code: "123456")),
        WireType("RecoveryCodes", values: RecoveryCodesBody(recoveryCodes: ["0123-4567-89ab-cdef", "fedc-ba98-7654-3210"])),
    ]
}
