"""Sends a message to a webhook."""

import http.client
import json
import queue
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from mtlx.pipeline.notify.message import Message
from mtlx.pipeline.notify.not_told import NotTold


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that leads elsewhere is not followed: the message was meant for this one."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """See the base class."""
        return None


def post_message(address: str, message: Message, timeout_seconds: float) -> None:
    """Posts a message as JSON.

    Args:
        address: of the webhook.
        message: the message.
        timeout_seconds: for all of it, however slowly the other side answers.

    Raises:
        NotTold: it does not answer in time, or with another code than 2xx; the address is not in
            the message, but for its host.
    """
    ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def post() -> None:
        ended.put(_post(address, message, timeout_seconds))

    # The timeout of a connection is one for each of its steps, and there may be many.
    threading.Thread(target=post, daemon=True, name="webhook").start()
    try:
        problem = ended.get(timeout=timeout_seconds)
    except queue.Empty:
        problem = f"did not answer within {timeout_seconds:g} s"
    if problem is not None:
        raise NotTold(f"the webhook at {host_of(address)} {problem}")


def host_of(address: str) -> str:
    """What may be said of an address."""
    return urllib.parse.urlsplit(address).hostname or "an unknown host"


def _post(address: str, message: Message, timeout_seconds: float) -> str | None:
    """Why the message was not taken; None where it was."""
    body = json.dumps(message.payload()).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "mtlx"}
    try:
        request = urllib.request.Request(address, body, headers, method="POST")
        opener = urllib.request.build_opener(_NoRedirects)
        with opener.open(request, timeout=timeout_seconds):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"answered {error.code}"
    except TimeoutError:
        return f"did not answer within {timeout_seconds:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Words of its own: those of some errors have the address in them.
        reason = getattr(error, "reason", error)
        return f"cannot be reached ({getattr(reason, 'strerror', None) or type(reason).__name__})"
