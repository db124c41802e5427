"""Settings of the notifications: the `notify` section of the experiment file."""

import re
import urllib.parse
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from mtlx.transform.config.settings import Settings

#: What can be told of a run.
Event = Literal["blocked", "failed", "drifted", "pushed"]

_FROM_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


class NotifySettings(Settings):
    """Who is told how a run ended, and of what.

    A notifier that fails, or takes too long, changes nothing about the run.

    Attributes:
        events: what is told: ``blocked`` (the gate did not bless the candidate), ``failed`` (a
            node failed, or what comes before or after the nodes, or the run was refused before it
            began), ``drifted`` (the data moved by
            more than is allowed), ``pushed`` (a new version is served).
        command: a program and its arguments, started in the experiment file's folder; it reads
            the message from its standard input and from variables ``MTLX_...``.
        webhook: ``env:NAME`` for the address in the environment variable NAME, or the address
            itself (``https://...``), to which the message is sent as JSON. An address often is a
            secret: it is never printed, and copies of the experiment do not have it.
        timeout_seconds: for the command and for the webhook, each.
    """

    events: list[Event] = ["blocked", "failed", "drifted", "pushed"]
    command: list[str] = []
    webhook: str | None = None
    timeout_seconds: Annotated[float, pydantic.Field(gt=0.0, le=300.0)] = 10.0

    @pydantic.model_validator(mode="before")
    @classmethod
    def _refuse_what_is_no_section(cls, value: Any) -> Any:
        """Said here, since pydantic's own message shows the value, which may be a secret."""
        if not isinstance(value, Mapping | cls):
            raise ValueError("expected settings such as {webhook: env:NAME, events: [failed]}")
        return value

    @pydantic.field_validator("webhook", mode="before")
    @classmethod
    def _check_webhook(cls, value: Any) -> Any:
        """Likewise."""
        if value is None:
            return None
        wanted = "expected env:NAME, or an address that begins with https:// or http://"
        if not isinstance(value, str):
            raise ValueError(wanted)
        if _FROM_ENVIRONMENT.fullmatch(value) or web_address(value):
            return value
        raise ValueError(wanted)

    @pydantic.model_validator(mode="after")
    def _check_that_somebody_is_told(self) -> "NotifySettings":
        if self.model_fields_set and not self.command and self.webhook is None:
            raise ValueError("names nobody to tell: give command, webhook or both")
        return self

    @property
    def variable(self) -> str | None:
        """The environment variable with the webhook's address, where one is named."""
        found = _FROM_ENVIRONMENT.fullmatch(self.webhook or "")
        return found.group(1) if found else None


def web_address(text: str) -> bool:
    """Whether a text is an address that can be posted to."""
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and " " not in text
    except ValueError:
        return False
