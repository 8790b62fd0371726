"""Every reason code in the lab's words: what happened, what it means, what to do."""

REASONS = {
    # connecting
    "state": "This sign-in was not started here, was used already, or took longer than 15 minutes. Start again.",
    "access_denied": "At Align the connection was not allowed. Start again and choose “Allow”.",
    "login_failed": "Align could not sign you in. Start again; if it happens twice, ask Align's support.",
    "no_accounts": "This MyiTero login has no lab account at Align. Ask Align's support to add your login to the "
    "account.",
    "taken": "This Align account is connected in another lab of this portal. It can be connected only once: two "
    "programs would take each other's cases. Disconnect it there first.",
    "disconnecting": "This account is just being disconnected. Try again in a few minutes.",
    "not_configured": "This portal has no access data from Align yet. The operator must enter them first.",
    # calling
    "timeout": "Align did not answer in time. We try again by ourselves.",
    "too_slow": "The line to Align was so slow that the answer would not have come to its end. We try again by "
    "ourselves; what came so far is kept where Align allows it.",
    "connection_lost": "The line to Align broke. We try again by ourselves.",
    "rate_limited": "Align asked us to slow down. We go on as soon as Align allows it.",
    "vendor_unavailable": "Align's server has a problem. We try again by ourselves; nothing is lost.",
    "truncated": "The download stopped before its end. We try again by ourselves.",
    "bad_answer": "Align's answer could not be read. We try again by ourselves.",
    "web_page": "Align answered with a web page, as during maintenance. We try again by ourselves; nothing is lost. "
    "If it stays so for a day, the operator must check the profile.",
    "invalid_grant": "Align no longer accepts our sign-in. Sign in at Align again; the cases wait there.",
    "invalid_client": "Align does not accept this portal's access data. The operator must check them.",
    "unauthorized": "Align no longer accepts our sign-in. Sign in at Align again; the cases wait there.",
    "forbidden": "Align says that this account is not enabled for this portal. Ask Align's support to enable the "
    "integration, then press “Test”.",
    "not_found": "Align does not know this case under this connection.",
    "conflict": "Align does not allow this in the case's present status.",
    "gone": "Align no longer gives out these files. Ask the practice to send the scan again.",
    "bad_request": "Align did not accept our request. The operator must look at the profile.",
    "host_not_allowed": "Align named a server that is not on our list. For safety we did not call it; the operator "
    "must check the profile.",
    # nobody asks Align
    "worker_down": "The portal's background worker is not running. The operator must start it.",
    "queue_stuck": "The portal's task queue stands still. The operator must look at the worker's log.",
    "not_looked": "The portal did not get round to it: its background worker may be stopped. Tell the operator.",
    # after a restored backup
    "safe_mode": "This portal was restored from a backup, so nothing is asked of Align yet. The operator ends this "
    "safe mode.",
    "restored": "This portal was restored from a backup. Sign in at Align again; the cases wait there.",
    # opening what was stored
    "no_key": "The portal has no key to open its sign-in at Align. The operator must enter TOKEN_KEYS.",
    "unknown_key": "The sign-in at Align is stored under a key that the portal no longer has. The operator must enter "
    "it in TOKEN_KEYS, or you sign in at Align again.",
    "broken": "The stored sign-in at Align is damaged. Sign in at Align again; the cases wait there.",
    "foreign": "The stored sign-in at Align belongs to another connection. The operator must look into it.",
    # storing
    "disk": "The portal could not write the file where it keeps its scans. We try again by ourselves; the operator "
    "should look at the disk, or at the bucket.",
    "check_time": "Checking the zip took longer than a scan should need, so it was not opened.",
    "check_out_of_memory": "Checking the zip took more memory than a scan should need, so it was not opened.",
    "check_killed": "Checking the zip was stopped by the system, so it was not opened.",
    "check_bad_answer": "Checking the zip ended without a usable result, so it was not opened.",
    "interrupted": "This look at Align broke off on our side. The next one begins by itself.",
    "damaged": "The stored file is missing or changed on our disk. The latest scan is fetched from Align again by "
    "itself; an older one is held back, and what was found is kept beside it for the operator.",
    "disk_low": "The portal's disk is nearly full, so no download was started. The operator must make room.",
    "not_paired": "The connection to Align is not active. Sign in at Align again.",
    "overtaken": "A newer scan of this case came before Align was told, so nothing was sent back. Look at the newer "
    "scan; if it must be scanned again as well, return the case again.",
    "superseded": "Align showed a newer scan of this case before this one was fetched, and gives out the newer one "
    "only. Nothing is to be done; the newer scan is the next revision.",
}


# While connecting a person waits, and nothing goes on by itself.
CONNECTING = {
    "timeout": "Align did not answer in time. Nothing was changed. Try again in a few minutes.",
    "too_slow": "The line to Align is too slow just now. Nothing was changed. Try again in a few minutes.",
    "connection_lost": "The line to Align broke. Nothing was changed. Try again in a few minutes.",
    "rate_limited": "Align asked us to slow down. Nothing was changed. Try again in a few minutes.",
    "vendor_unavailable": "Align's server has a problem. Nothing was changed. Try again in a few minutes.",
    "truncated": "Align's answer stopped before its end. Nothing was changed. Try again in a few minutes.",
    "bad_answer": "Align's answer could not be read. Nothing was changed. Try again in a few minutes; if it stays so, "
    "the operator must check the profile.",
    "web_page": "Align answered with a web page, as during maintenance. Nothing was changed. Try again in a few "
    "minutes; if it stays so, the operator must check the profile.",
    "invalid_grant": "Align did not accept this sign-in. Start again.",
    "unauthorized": "Align's sign-in has run out meanwhile. Start again.",
    "forbidden": "Align says that this account is not enabled for this portal. Ask Align's support to enable the "
    "integration, then start again.",
    "not_found": "Align does not know this account any more. Start again.",
}


def reason_words(code: str) -> str:
    """A sentence for a person; an unknown code is named, never hidden."""
    return REASONS.get(code) or (f"Something went wrong (code {code}). The operator can look it up." if code else "")


def connect_words(code: str) -> str:
    """Why connecting stopped, to the person who is connecting."""
    return CONNECTING.get(code) or reason_words(code)
