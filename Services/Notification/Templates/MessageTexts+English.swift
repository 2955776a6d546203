import Contracts

extension MessageTexts {
    static let english = MessageTexts(
        labels: Labels(
            greeting: "Hello,", greetingBeforeName: "Hello", code: "Your code", validUntil: "Valid until", device: "Device", place: "Place",
            time: "Time", change: "Change",
            signature: "This message was sent automatically; replies are not read. Florin never asks for a code or a password by phone or mail."),
        messages: [
            .registrationCode: Message(
                subject: "Confirm your e-mail address", paragraphs: ["Enter this code to confirm your e-mail address and create your account."],
                linkLabel: "Enter the code", closing: "If you did not ask for an account, ignore this message: without the code none is created."),
            .addressTaken: Message(
                subject: "You already have an account",
                paragraphs: [
                    "Somebody tried to create an account with this e-mail address, which already has one.",
                    "If that was you, sign in, or reset your password if you have forgotten it.",
                ], linkLabel: "Sign in", closing: "If that was not you, there is nothing to do: your account is unchanged."),
            .recoveryCodeMail: Message(
                subject: "Reset your password", paragraphs: ["Enter this code to choose a new password."], linkLabel: "Enter the code",
                closing: "If you did not ask for this, ignore this message: without the code your password stays as it is."),
            .newDevice: Message(
                subject: "New sign-in to your account", paragraphs: ["Somebody signed in to your account on a device that we had not seen before."],
                linkLabel: "Review your devices", closing: "If that was not you, end the session and change your password now."),
            .passwordChanged: Message(
                subject: "Your password was changed", paragraphs: ["The password of your account was changed, and all other sessions were ended."],
                linkLabel: "Review your account", closing: "If that was not you, reset your password now."),
            .mfaChanged: Message(
                subject: "Your sign-in security was changed", paragraphs: ["The second step of signing in to your account was changed."],
                linkLabel: "Review your account", closing: "If that was not you, change your password now and contact us."),
            .accountRecovered: Message(
                subject: "Your account was recovered",
                paragraphs: ["A new password was set with a code from a mail to this address, and all sessions were ended."],
                linkLabel: "Review your account", closing: "If that was not you, contact us now."),
            .accountDisabled: Message(
                subject: "Your account was disabled", paragraphs: ["Your account was disabled, and all sessions were ended."],
                linkLabel: "More about this", closing: "If you don't know why, contact us."),
            .accountDeleted: Message(
                subject: "Your account was deleted", paragraphs: ["Your account and the personal data in it were deleted, as was asked for."],
                linkLabel: "More about this", closing: "If you did not ask for this, contact us now."),
            .staffInvitation: Message(
                subject: "Set up your staff account",
                paragraphs: [
                    "A staff account was created for you. It has no password yet.",
                    "To set one, choose “Forgot your password?” on the sign-in page; a code then comes to this address.",
                ], linkLabel: "Sign in", closing: "If you did not expect this, tell your administrator."),
        ],
        changes: [
            .totpAdded: "An authenticator app was added", .totpRemoved: "The authenticator app was removed",
            .recoveryCodesReplaced: "New recovery codes were made", .recoveryCodeUsed: "A recovery code was used",
        ])
}
