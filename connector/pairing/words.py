"""Every reason code in the lab's words: what happened, what it means, what to do."""

REASONS = {
    # connecting
    "state": "This sign-in was not started here, was used already, or took longer than 15 minutes. Start again.",
    "access_denied": "At Align the connection was not allowed. Start again and choose “Allow”.",
    "login_failed": "Align could not sign you in. Start again; if it happens twice, ask Align's support.",
    "no_accounts": "This MyiTero login has no lab account at Align. Ask Align's support to add your login to the account.",
    "taken": "This Align account is connected in another lab of this portal. It can be connected only once: two "
    "programs would take each other's cases. Disconnect it there first.",
    "disconnecting": "This account is just being disconnected. Try again in a few minutes.",
    "not_configured": "This portal has no access data from Align yet. The operator must enter them first.",
    # calling
    "timeout": "Align did not answer in time. We try again by ourselves.",
    "connection_lost": "The line to Align broke. We try again by ourselves.",
    "rate_limited": "Align asked us to slow down. We go on as soon as Align allows it.",
    "vendor_unavailable": "Align's server has a problem. We try again by ourselves; nothing is lost.",
    "truncated": "The download stopped before its end. We try again by ourselves.",
    "bad_answer": "Align's answer could not be read. We try again by ourselves.",
    "invalid_grant": "Align no longer accepts our sign-in. Sign in at Align again; the cases wait there.",
    "invalid_client": "Align does not accept this portal's access data. The operator must check them.",
    "unauthorized": "Align no longer accepts our sign-in. Sign in at Align again; the cases wait there.",
    "forbidden": "Align says that this account is not enabled for this portal. Ask Align's support to enable the "
    "integration, then press “Test now”.",
    "not_found": "Align does not know this case under this connection.",
    "conflict": "Align does not allow this in the case's present status.",
    "gone": "Align no longer gives out these files. Ask the practice to send the scan again.",
    "bad_request": "Align did not accept our request. The operator must look at the profile.",
    "host_not_allowed": "Align named a server that is not on our list. For safety we did not call it; the operator "
    "must check the profile.",
    # storing
    "disk_low": "The portal's disk is nearly full, so no download was started. The operator must make room.",
    "not_paired": "The connection to Align is not active. Sign in at Align again.",
    "lease_lost": "Another worker took over this download.",
    "gave_up": "This failed too often. Press “Try again” when the cause is gone.",
}


def reason_words(code: str) -> str:
    """A sentence for a person; an unknown code is named, never hidden."""
    return REASONS.get(code) or (f"Something went wrong (code {code}). The operator can look it up." if code else "")
