"""What the codes of this folder mean, in words to lab staff."""

from labportal.labs.models import Role

ROLE_HINTS = {
    Role.OWNER: "All of it: cases, connections, people, keys and settings.",
    Role.TECHNICIAN: "Works cases: download, return to the doctor, mark as done.",
    Role.VIEWER: "Looks at cases and downloads them; changes nothing.",
}
REFUSED = {
    "member": "This person is in your lab already; change what they may do in the list.",
    "open": "This address is invited already. Send the mail again from the list, or withdraw the invitation first.",
}
LAST_OWNER = (
    "This is the lab's only owner. Make somebody else an owner first: a lab without one could change nothing any more."
)


def role_words(role: str) -> str:
    """A role's label; an unknown one is shown as it is."""
    return str(Role(role).label) if role in Role.values else role
