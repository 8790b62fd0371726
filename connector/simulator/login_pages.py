"""The HTML of log-in, consent and error."""

from html import escape

STYLE = """
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:16px;
font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif;background:linear-gradient(160deg,#e8f1f6,#f7f4ee);color:#17303c}
main{background:#fff;border-radius:16px;padding:32px;width:100%;max-width:400px;box-shadow:0 12px 40px #17303c22}
.mark{font-weight:700;letter-spacing:.02em;color:#0b6b88}.stand-in{font-size:13px;color:#5b6d76;margin:0 0 20px}
h1{font-size:22px;margin:0 0 16px}label{display:block;font-weight:600;margin:12px 0 4px}
input{width:100%;font:inherit;padding:10px 12px;border:1px solid #8aa0ab;border-radius:8px}
button{font:inherit;font-weight:600;padding:11px 16px;border-radius:8px;border:1px solid #0b6b88;cursor:pointer;
background:#0b6b88;color:#fff;width:100%;margin-top:16px}button.quiet{background:#fff;color:#0b6b88}
:focus-visible{outline:3px solid #f0a53a;outline-offset:2px}
.problem{background:#fdecea;color:#8a1c12;border-radius:8px;padding:10px 12px;margin:0 0 8px}ul{padding-left:20px}
"""


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body><main>'
        f'<div class="mark">MyiTero (simulated)</div>'
        f'<p class="stand-in">A stand-in for demo and tests. Never enter a real password here.</p>'
        f"<h1>{title}</h1>{body}</main></body></html>"
    )


def login_page(problem: str = "") -> str:
    """User name and password; posts to its own address, which carries the authorization request."""
    hint = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    return _page(
        "Log in",
        f'{hint}<form method="post"><label for="username">User name</label>'
        '<input id="username" name="username" autocomplete="username" autofocus required>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required>'
        '<button type="submit">Log in</button></form>',
    )


def consent_page(username: str, accounts: list[str], client: str, ticket: str) -> str:
    """Allow or deny."""
    rows = "".join(f"<li>{escape(name)}</li>" for name in accounts) or "<li>no account yet</li>"
    return _page(
        "Allow access?",
        f"<p><strong>{escape(client)}</strong> asks to receive and return the scans of:</p><ul>{rows}</ul>"
        f"<p>You are logged in as {escape(username)}.</p>"
        f'<form method="post"><input type="hidden" name="ticket" value="{escape(ticket)}">'
        '<button type="submit" name="decision" value="allow">Allow</button>'
        '<button type="submit" name="decision" value="deny" class="quiet">Deny</button></form>',
    )


def error_page(text: str) -> str:
    """A request that can't even be refused by a redirect."""
    return _page("This link does not work", f'<p class="problem" role="alert">{escape(text)}</p>')
