"""Tells those that an experiment names, and never fails."""

import logging
import os
from collections.abc import Callable

from mtlx.pipeline.notify.message import Message
from mtlx.pipeline.notify.not_told import NotTold
from mtlx.pipeline.notify.post_message import host_of, post_message
from mtlx.pipeline.notify.run_command import run_command
from mtlx.pipeline.notify.settings import NotifySettings


def notify(settings: NotifySettings, message: Message, folder: str | None) -> list[str]:
    """Sends a message to the command and to the webhook; both are tried, whatever the other does.

    Args:
        settings: of the experiment.
        message: what happened.
        folder: of the experiment file, in which the command starts.

    Returns:
        A line for each: that it was told, or why not. They are in the log, too.
    """
    address = settings.webhook
    if settings.variable is not None:
        address = os.environ.get(settings.variable)
    told: list[tuple[str, Callable[[], None]]] = []
    limit = settings.timeout_seconds
    if settings.command:
        name = os.path.basename(settings.command[0])
        told.append((name, lambda: run_command(settings.command, folder, message, limit)))
    if settings.webhook is not None and not address:
        told.append(("the webhook", lambda: _without_address(settings.variable)))
    elif address:
        known = address
        told.append((host_of(known), lambda: post_message(known, message, limit)))
    return [_attempt(message.event, name, tell) for name, tell in told]


def _attempt(event: str, name: str, tell: Callable[[], None]) -> str:
    try:
        tell()
    except NotTold as error:
        line = f"Not notified ({event}): {error}"
        logging.warning("%s", line)
    except Exception as error:
        # Whatever it is, the run has ended, and how it ended stands.
        line = f"Not notified ({event}): {name}: {type(error).__name__}"
        logging.warning("%s", line)
    else:
        line = f"Notified ({event}): {name}"
        logging.info("%s", line)
    return line


def _without_address(variable: str | None) -> None:
    raise NotTold(f"the environment variable {variable} with the webhook's address is not set")
