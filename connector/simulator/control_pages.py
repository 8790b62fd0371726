"""The HTML of the control page: plain forms, so that a demo can be steered with a mouse."""

from collections.abc import Mapping
from html import escape
from typing import Any

from connector.simulator.cases import BROKEN_KINDS
from connector.simulator.cloud import Cloud
from connector.simulator.faults import CALLS

NEWEST_SHOWN = 40
STYLE = """
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif;background:#f4f7f8;color:#17303c}
header{background:#12394a;color:#fff;padding:18px 28px}
header h1{margin:0;font-size:20px}
header p{margin:2px 0 0;opacity:.8}
main{max-width:1280px;margin:0 auto;padding:20px 28px}
.cards{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(270px,1fr))}
section{background:#fff;border:1px solid #d8e2e6;border-radius:12px;padding:16px 18px;margin-bottom:16px}
h2{font-size:15px;margin:0 0 10px}
form+h2{margin-top:20px}
label{display:block;font-size:13px;color:#4b606a}
input,select{font:inherit;width:100%;padding:6px 8px;border:1px solid #9fb2bb;border-radius:6px;background:#fff;
margin-bottom:8px}
button{font:inherit;font-weight:600;padding:6px 12px;border:1px solid #0b6b88;border-radius:6px;
background:#0b6b88;color:#fff;cursor:pointer}
button.quiet{background:#fff;color:#0b6b88}
.row{display:inline-block;margin:0 4px 4px 0}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:7px 10px 7px 0;vertical-align:top;border-bottom:1px solid #e6edf0}
th{font-size:12px;color:#4b606a}
.scroll{overflow-x:auto}
code{font-size:12px;color:#4b606a}
.tag{display:inline-block;white-space:nowrap;border-radius:99px;padding:1px 9px;background:#e5eef2;font-size:13px}
.tag.new{background:#d9f2e3}
:focus-visible{outline:3px solid #f0a53a;outline-offset:2px}
"""


def control_page(cloud: Cloud, truth: dict[str, Any]) -> str:
    """Everything on one page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>iTero cloud simulator</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{STYLE}</style></head><body>'
        "<header><h1>iTero cloud simulator</h1><p>A stand-in for Align's cloud. Everything here is invented; "
        f"never use it for real scans. Its clock says {escape(truth['now'])}.</p></header><main>"
        f'<div class="cards">{_new_order(truth)}{_fault_form()}{_clock()}{_switches(truth)}</div>'
        f"{_orders(truth)}{_fault_table(cloud)}{_accounts(truth)}{_notifications(truth)}{_calls(cloud)}"
        "</main></body></html>"
    )


def _options(values: Mapping[str, str], chosen: str = "") -> str:
    return "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(label)}</option>'
        for value, label in values.items()
    )


def _new_order(truth: dict[str, Any]) -> str:
    accounts = {
        str(row["account_id"]): f"{row['account_id']} {row['name']}{' (paired)' if row['paired'] else ''}"
        for row in truth["accounts"]
    }
    families = {"": "any", "restorative": "restorative", "orthodontic": "orthodontic"}
    zips = {kind: kind.replace("_", " ") for kind in ("normal", *BROKEN_KINDS)}
    return (
        '<section><h2>A practice sends a scan</h2><form method="post" action="/_sim/orders">'
        f'<label>Account <select name="account_id">{_options(accounts)}</select></label>'
        f'<label>Family <select name="family">{_options(families)}</select></label>'
        f'<label>Zip <select name="zip">{_options(zips)}</select></label><button>Create order</button></form></section>'
    )


def _fault_form() -> str:
    calls = {call: call for call in ("*", *CALLS)}
    return (
        '<section><h2>Make a call go wrong</h2><form method="post" action="/_sim/faults">'
        f'<label>Call <select name="call">{_options(calls)}</select></label>'
        '<label>Times (0 = until cleared) <input name="times" value="1" inputmode="numeric"></label>'
        '<label>Answer with status <input name="status" inputmode="numeric" placeholder="503"></label>'
        '<label>Answer late, seconds <input name="latency" inputmode="decimal"></label>'
        '<label>Reset at fraction <input name="reset_at" inputmode="decimal" placeholder="0.5"></label>'
        '<label>Cut off at fraction <input name="truncate_at" inputmode="decimal" placeholder="0.5"></label>'
        '<label>Bytes a second <input name="bytes_per_second" inputmode="numeric"></label>'
        "<button>Set fault</button></form></section>"
    )


def _clock() -> str:
    hours = {"600": "10 minutes", "3600": "1 hour", "7200": "2 hours", "86400": "1 day"}
    regions = {"us": "us", "eu": "eu"}
    return (
        '<section><h2>Move the vendor\'s clock</h2><form method="post" action="/_sim/clock">'
        f'<label>Forward by <select name="advance">{_options(hours)}</select></label><button>Move clock</button></form>'
        '<h2>Move an account</h2><form method="post" action="/_sim/region">'
        '<label>Account <input name="accountId" value="479" inputmode="numeric"></label>'
        f'<label>Region <select name="region">{_options(regions)}</select></label><button>Move region</button></form>'
        "</section>"
    )


def _switches(truth: dict[str, Any]) -> str:
    now = truth["switches"]
    numbers = ("token_lifetime", "rescan_after", "modeling_after", "new_order_every")
    inputs = "".join(
        f'<label>{name.replace("_", " ")} (s) <input name="{name}" value="{now[name]:g}" inputmode="decimal"></label>'
        for name in numbers
    )
    seconds = _options({"allow": "allow", "gone": "gone"}, now["second_download"])
    thumbnails = _options({"no": "no", "yes": "yes"}, now["thumbnails_consume"])
    return (
        f'<section><h2>Switches</h2><form method="post" action="/_sim/switches">{inputs}'
        f'<label>Second download <select name="second_download">{seconds}</select></label>'
        f'<label>Thumbnails consume <select name="thumbnails_consume">{thumbnails}</select></label>'
        "<button>Turn</button></form></section>"
    )


def _button(order_id: str, action: str, label: str) -> str:
    return (
        f'<form class="row" method="post" action="/_sim/orders/{order_id}/{action}">'
        f'<button class="quiet">{label}</button></form>'
    )


def _orders(truth: dict[str, Any]) -> str:
    rows = "".join(_order_row(order) for order in reversed(truth["orders"][-NEWEST_SHOWN:]))
    head = "<tr><th>Order<th>Account<th>Status<th>Revision<th>Get Orders<th>Downloads<th>Returned<th>Do</tr>"
    return (
        f'<section class="scroll"><h2>Orders ({len(truth["orders"])})</h2><table>{head}'
        f"{rows or '<tr><td colspan=8>No order yet.</tr>'}</table></section>"
    )


def _order_row(order: dict[str, Any]) -> str:
    number = escape(order["order_id"])
    listed = '<span class="tag new">listed</span>' if order["listed"] else '<span class="tag">not listed</span>'
    returned = "; ".join(escape(f"{row['reason']} {row['comment']}") for row in order["returns"])
    buttons = "".join(
        _button(number, action, label)
        for action, label in (("model", "Model"), ("mill", "Mill"), ("return", "Return"), ("notify", "Notify"))
    )
    taken = f"{order['downloads']}{' ✓' if order['acknowledged'] else ''}"
    return (
        f"<tr><td>{number}<br><code>{escape(order['rx_id'])}</code><td>{order['account_id']}"
        f'<td><span class="tag">{escape(order["status"])}</span><td>{order["revision"]}<td>{listed}<td>{taken}'
        f"<td>{returned}<td>{buttons}</tr>"
    )


def _fault_table(cloud: Cloud) -> str:
    rows = "".join(
        f"<tr><td>{escape(fault['call'])}<td>{fault['hits']} of {fault['times'] or '∞'}"
        f"<td><code>{escape(_active(fault))}</code></tr>"
        for fault in cloud.faults.listing()
    )
    clear = '<form method="post" action="/_sim/faults/clear"><button class="quiet">Clear all faults</button></form>'
    table = f"<table><tr><th>Call<th>Used<th>What</tr>{rows}</table>{clear}" if rows else "<p>None.</p>"
    return f"<section><h2>Faults</h2>{table}</section>"


def _active(fault: dict[str, Any]) -> str:
    quiet = {"call", "times", "hits"}
    return ", ".join(
        f"{name}={value}" for name, value in fault.items() if name not in quiet and value not in (0, "", None)
    )


def _accounts(truth: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{row['account_id']}<td>{escape(row['region'])}<td>{'paired' if row['paired'] else 'not paired'}"
        f"<td><code>{escape(row['callback'] or '')}</code></tr>"
        for row in truth["accounts"]
    )
    head = "<tr><th>Account<th>Region<th>Pairing<th>Notifications to</tr>"
    return f'<section class="scroll"><h2>Accounts</h2><table>{head}{rows}</table></section>'


def _notifications(truth: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(row['rx_id'])}</code><td>{row['account_id']}"
        f"<td>{escape(', '.join(map(str, row['answers'])))}</tr>"
        for row in reversed(truth["notifications"][-10:])
    )
    head = "<tr><th>RxID<th>Account<th>Answers</tr>"
    return f"<section><h2>Last notifications</h2><table>{head}{rows}</table></section>"


def _calls(cloud: Cloud) -> str:
    rows = "".join(
        f"<tr><td>{call['at']}<td>{escape(call['call'])}<td>{call['status']}<td><code>{escape(call['request_id'])}</code></tr>"
        for call in reversed(cloud.recent)
    )
    return f"<section><h2>Last calls</h2><table><tr><th>At<th>Call<th>Status<th>Request</tr>{rows}</table></section>"
