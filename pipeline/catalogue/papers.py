"""The papers that presets and members are from, and where they are."""

import functools
from dataclasses import dataclass

from mtlx.pipeline.experiment.presets import preset_names, read_preset

#: Address of the paper of a preset, whose file has its title.
_ADDRESSES = {
    "adatt": "https://arxiv.org/abs/2304.04959",
    "aitm": "https://arxiv.org/abs/2105.08489",
    "atrank": "https://arxiv.org/abs/1711.06632",
    "bst": "https://arxiv.org/abs/1905.06874",
    "dcn_m": "https://arxiv.org/abs/2008.13535",
    "dfn": "https://doi.org/10.24963/ijcai.2020/349",
    "dien": "https://arxiv.org/abs/1809.03672",
    "din": "https://arxiv.org/abs/1706.06978",
    "dmt": "https://doi.org/10.1145/3340531.3412697",
    "dtn": "https://arxiv.org/abs/2408.11611",
    "dtrn": "https://doi.org/10.1145/3583780.3614837",
    "esmm": "https://arxiv.org/abs/1804.07931",
    "focal": "https://arxiv.org/abs/1708.02002",
    "gdcn": "https://arxiv.org/abs/2311.04635",
    "home": "https://arxiv.org/abs/2408.05430",
    "m2m": "https://arxiv.org/abs/2201.06814",
    "m3oe": "https://arxiv.org/abs/2404.18465",
    "man": "https://doi.org/10.32604/iasc.2023.036622",
    "masknet_serial": "https://arxiv.org/abs/2102.07619",
    "memonet_amr": "https://arxiv.org/abs/2211.01334",
    "mmoe": "https://doi.org/10.1145/3219819.3220007",
    "pepnet": "https://arxiv.org/abs/2302.01115",
    "ple": "https://doi.org/10.1145/3383313.3412236",
    "pwiser": "https://arxiv.org/abs/2406.02163",
    "senet": "https://arxiv.org/abs/1905.09433",
    "shared_bottom": "https://doi.org/10.1023/A:1007379606734",
    "star": "https://arxiv.org/abs/2101.11427",
    "stem": "https://arxiv.org/abs/2308.13537",
    "uncertainty_weighting": "https://arxiv.org/abs/1705.07115",
    "youtube_net": "https://doi.org/10.1145/2959100.2959190",
}
#: Presets of the papers that members are from, where these have other names than the members.
_PRESETS = {
    "adatt_sp": ("adatt",),
    "behavioural_expectation_calibrator": ("aitm",),
    "bi_level": ("m3oe",),
    "cgc": ("ple",),
    "domain_cross_entropy": ("m3oe",),
    "domain_task_mlp": ("m3oe",),
    "entire_space_cross_entropy": ("esmm",),
    "gate_trim": ("dtn",),
    "gradient_boosting": ("lightgbm",),
    "masknet": ("masknet_serial",),
    "mdl": ("m3oe",),
    "mean_pooling": ("youtube_net",),
    "memonet": ("memonet_amr",),
    "meta": ("man",),
    "mtl": ("m3oe",),
    "mtmd": ("m3oe",),
    "next_behaviour": ("dien",),
    "omoe": ("mmoe",),
    "relaimp": ("dtn",),
    "sfm": ("dtn",),
    "single_task": (),
    "tfi": ("dtn",),
    "tim": ("dtrn",),
    "trm": ("dtrn",),
    "uncertainty_weighting": ("uncertainty_weighting", "man"),
}


@dataclass(frozen=True)
class Paper:
    """A paper.

    Attributes:
        title: as the presets have it.
        address: where it is to be had, or None where nobody has looked it up.
    """

    title: str
    address: str | None

    def as_markdown(self) -> str:
        """The title, as a link where the address is known."""
        return self.title if self.address is None else f"[{self.title}]({self.address})"


def paper_of_preset(name: str) -> Paper:
    """The paper of a preset."""
    title = read_preset(name).paper.title
    return Paper(title, _addresses().get(title))


def papers_of_member(name: str) -> list[Paper]:
    """The papers of a registered member; none where it is nobody's."""
    known = (name,) if name in preset_names() else ()
    return [paper_of_preset(preset) for preset in _PRESETS.get(name, known)]


@functools.cache
def _addresses() -> dict[str, str]:
    """Addresses by title."""
    return {read_preset(name).paper.title: address for name, address in _ADDRESSES.items()}
