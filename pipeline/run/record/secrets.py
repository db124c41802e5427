"""Takes what may be a secret out of what a run keeps."""

from typing import Any

import yaml

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.notify.settings import NotifySettings
from mtlx.transform.config.safe_yaml import SAFE_LOADER

#: Stands in copies for a webhook's address: with this variable set, they can be run.
WEBHOOK_VARIABLE = "MTLX_NOTIFY_WEBHOOK"
_IN_ITS_PLACE = f"env:{WEBHOOK_VARIABLE}"


class KeptSecrets:
    """Knows the secrets of an experiment: the address of a webhook, where it is written out.

    Args:
        experiment: as it is run.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._notify = experiment.notify
        written = [experiment.notify.webhook if experiment.notify.variable is None else None]
        for key, value in experiment.kubeflow.settings.items():
            if key.split(".")[0] == "notify":
                section = value if isinstance(value, dict) else {"webhook": value}
                written.append(section.get("webhook"))
        self._addresses = [
            one for one in written if isinstance(one, str) and not one.startswith("env:")
        ]

    @property
    def kept_notify(self) -> NotifySettings:
        """The `notify` section as copies have it."""
        values = self._notify.model_dump(mode="json", exclude_unset=True)
        return NotifySettings.read(self.replaced(values))

    @property
    def environment(self) -> dict[str, str]:
        """With these variables set, a copy tells whom the experiment tells."""
        written = self._notify.webhook
        return {WEBHOOK_VARIABLE: written} if written in self._addresses else {}

    def replaced(self, value: Any) -> Any:
        """Settings with another address in the place of each secret."""
        if isinstance(value, dict):
            return {key: self.replaced(below) for key, below in value.items()}
        if isinstance(value, list):
            return [self.replaced(below) for below in value]
        return _IN_ITS_PLACE if value in self._addresses else value

    def taken_out_of(self, text: str) -> str:
        """A YAML text or an override likewise; of one that hides a secret, nothing."""
        for address in self._addresses:
            text = text.replace(address, _IN_ITS_PLACE)
            # As YAML may write it: with escapes, or over several lines.
            if address in _values(text):
                return "# Left out: it holds the address of a webhook.\n"
        return text


def _values(text: str) -> set[str]:
    """All texts within a YAML text; none where it is no YAML, such as an override."""
    try:
        return set(_texts(yaml.load(text, Loader=SAFE_LOADER)))
    except yaml.YAMLError:
        return set()


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for below in value.values() for text in _texts(below)]
    if isinstance(value, list):
        return [text for below in value for text in _texts(below)]
    return [value] if isinstance(value, str) else []
