"""What each action is called on a page. A code that is not here is shown as it is, never hidden."""

from typing import Any

from labportal.audit.context import COMMAND, KEY, OPERATOR, PERSON, SYSTEM, VENDOR, VISITOR

# `{name}` is filled from the entry's facts.
ACTIONS = {
    "access.refused": "Was refused: {route} ({status})",
    "admin.added": "Added in the operator's site",
    "admin.changed": "Changed in the operator's site",
    "admin.deleted": "Deleted in the operator's site",
    "alarm.told": "Owners were told that a connection needs them",
    "attention.viewed": "Looked at “Needs attention”",
    "audit.checked": "Checked the audit",
    "audit.exported": "Exported the audit ({entries} entries, {format})",
    "audit.viewed": "Looked at the audit",
    "backup.made": "Backup made ({files} files)",
    "backup.restored": "Restored from the backup of {made_at}",
    "break_glass.begun": "The operator opened this lab's cases for {minutes} minutes",
    "break_glass.ended": "The operator's look at this lab's cases was ended",
    "break_glass.viewed": "The operator looked at a case",
    "break_glass.listed": "The operator looked at the list of cases ({count})",
    "case.dismissed": "Took a stopped scan off “Needs attention”",
    "case.downloaded": "Downloaded: {file}",
    "case.erased": "Removed for good",
    "case.exported": "Exported: {file}",
    "case.file_damaged": "Asked for a file that was found damaged",
    "case.file_missing": "Asked for a file that is not in its place",
    "case.file_unreadable": "Asked for a file that could not be read",
    "case.files_asked": "Asked for all scan files",
    "case.marked": "Marked the case: {workflow}",
    "case.pictures_viewed": "Saw the pictures",
    "case.readmitted": "The right file is back in its place",
    "case.repaired": "A damaged file was found ({problem})",
    "case.scan_viewed": "Saw the scan in 3D",
    "case.stored": "Received and stored revision {revision}",
    "case.thumbnail_viewed": "Saw the case in a list",
    "case.too_fast": "Opened more than {most} cases and files within an hour, and was stopped",
    "case.tried_again": "Asked for a stopped scan again",
    "case.viewed": "Opened the case",
    "email.changed": "Changed the e-mail address",
    "export.listed": "Read the list of orders ({count})",
    "export.order_read": "Read an order",
    "find.searched": "Searched in “Find my scan” ({count} found)",
    "hold.released": "Ended a legal hold",
    "hold.set": "Set a legal hold",
    "inbox.refreshed": "Kept a list of cases open ({count})",
    "inbox.viewed": "Looked at a list of cases ({count})",
    "invitation.accepted": "Accepted an invitation",
    "invitation.made": "Invited somebody as {role}",
    "invitation.sent_again": "Sent an invitation again",
    "invitation.withdrawn": "Took an invitation back",
    "key.made": "Made the API key {key}",
    "key.revoked": "Revoked the API key {key}",
    "key.replaced": "Replaced the API key {key} by {by}; it ends after {days} days",
    "key.refused": "The API key {key} was used from an address that it is not given to",
    "lab.made": "The lab was made",
    "lab.opened": "The lab was opened by its owner",
    "lab.company_rules": "Changed the rules of the company's sign-in",
    "lab.sign_in_rules": "Changed the rules of sign-in",
    "lab.settings_changed": "Changed the lab's settings",
    "log_in.done": "Signed in ({how})",
    "log_in.ended": "Signed out",
    "log_in.session_ended": "Signed out another of their browsers",
    "log_in.closed": "Log-in closed by the operator",
    "log_in.failed": "A sign-in failed",
    "member.added": "Was added as {role}",
    "member.changed": "Role or rights changed: {role}",
    "member.joined": "Joined the lab as {role}",
    "member.let_in_again": "Was let in again",
    "member.suspended": "Was suspended",
    "member.removed": "Was removed from the lab",
    "pairing.connected": "Connected Align's account {account}",
    "pairing.ended": "The connection of account {account} has ended",
    "pairing.fetch_mode_changed": "Changed what is fetched by itself: {mode}",
    "pairing.owners_told": "Told {owners} owners by mail that a connection stands still ({code})",
    "pairing.refused": "Connecting to Align did not succeed ({problem})",
    "pairing.sign_in_begun": "Went to Align to sign in",
    "pairing.sync_asked": "Asked Align for new cases",
    "pairing.tested": "Tested the connection",
    "pairing.unpair_asked": "Disconnected Align's account {account}",
    "password.changed": "Changed the password",
    "password.link_sent": "The operator sent a link to choose a password",
    "password.reset": "Set a new password by e-mail",
    "password.set_on_machine": "A new password was set on the portal's machine",
    "operator.made": "Made somebody an operator of the portal",
    "patient.removal_asked": "Was asked for the word before {count} cases are removed",
    "patient.searched": "Searched for a patient's data ({found} found)",
    "reconciliation.asked": "Asked for a comparison with Align",
    "reconciliation.viewed": "Looked at a comparison with Align",
    "person.made": "Made a log-in",
    "retention.changed": "Changed how long cases are kept",
    "retention.viewed": "Looked at cases that are held or would be removed ({count})",
    "return.asked": "Returned the case to the doctor ({reason})",
    "return.dismissed": "Took a refused return off “Needs attention”",
    "return.unsent": "Return not sent to Align ({reason})",
    "return.refused": "Align refused the return ({reason})",
    "return.sent": "The return reached Align",
    "safe_mode.ended": "Safe mode ended",
    "scan.asked_for": "Asked Align for the RxID {rx}",
    "second_step.added": "Added a second step ({kind})",
    "second_step.failed": "A second step failed ({kind})",
    "second_step.removed": "Removed a second step ({kind})",
    "second_step.reset": "Made new recovery codes",
    "sign_on.refused": "A company sign-in was refused ({reason})",
    "sign_on.removed": "Removed the company's sign-in",
    "sign_on.saved": "Saved the company's sign-in",
    "secrets.rotated": "Secrets were sealed with a new key ({sealed})",
}

# The filter's choices: (value, what it is called); an entry belongs to the choice that its code begins with.
THINGS = [
    ("case", "Cases"), ("inbox", "Lists of cases"), ("return", "Returns"), ("export", "Export to the lab's system"),
    ("pairing", "Connections"), ("key", "API keys"), ("member", "People and roles"),
    ("invitation", "Invitations"), ("lab", "Lab settings"), ("log_in", "Signing in and out"),
    ("password", "Passwords"), ("second_step", "Second steps"), ("sign_on", "Company sign-in"),
    ("access", "Refused"), ("retention", "Retention"),
    ("hold", "Legal holds"), ("break_glass", "The operator's looks"), ("admin", "The operator's changes"),
    ("audit", "The audit itself"),
]  # fmt: skip

ACTORS = {
    PERSON: "Somebody who left",
    OPERATOR: "Portal operator",
    KEY: "API key",
    VISITOR: "Not signed in",
    SYSTEM: "The portal itself",
    COMMAND: "A command of the operator",
    VENDOR: "Align",
}


# Facts are codes; these are read often enough to have words.
CODES = {
    "in_work": "in work", "missing_data": "part of the scan is missing", "margin": "margin is not clear",
    "bite": "bite is wrong or missing", "preparation": "preparation needs a change",
    "scan_quality": "scan is distorted or has holes", "prescription": "prescription is not clear",
}  # fmt: skip


class _Facts(dict[str, Any]):
    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        return CODES.get(found, found) if isinstance(found, str) else found

    def __missing__(self, name: str) -> str:
        return "–"


def in_words(action: str, facts: dict[str, Any]) -> str:
    words = ACTIONS.get(action)
    return words.format_map(_Facts(facts)) if words else action
