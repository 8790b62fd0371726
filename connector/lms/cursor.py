"""A place in the list of orders: after this change of this order. To clients it is an opaque text."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


class CursorError(Exception):
    """This text is no cursor of ours."""


@dataclass(frozen=True)
class Position:
    """The last order that was handed out, and when it had changed."""

    updated_at: datetime
    id: UUID

    @property
    def cursor(self) -> str:
        text = f"{self.updated_at.isoformat()}/{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> "Position":
        """Errors: CursorError."""
        try:
            padded = (cursor + "=" * (-len(cursor) % 4)).encode("ascii")
            moment, _, order_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition("/")
            updated_at = datetime.fromisoformat(moment)
            if updated_at.tzinfo is None:
                raise CursorError
            return cls(updated_at, UUID(order_id))
        except (ValueError, binascii.Error) as error:
            raise CursorError from error
