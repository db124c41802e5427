"""What the report says of features that a served model does without."""

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import WeightsFeature


def training_only_notes(contract: DataContract) -> list[str]:
    """One line that names them, and how each is served; none where there are no such features.

    Args:
        contract: the data contract.
    """
    named = []
    for name in contract.training_only:
        feature = contract.features[name]
        if not isinstance(feature, WeightsFeature):
            value = getattr(feature, "serve_as", None)
            shown = f"{value:g}" if isinstance(value, float) else value
            as_what = "as missing" if value is None else f"as {shown}"
            named.append(f"{name} ({as_what})")
    if not named:
        return []
    return [
        "Known only when training, and served to all rows alike: "
        f"{', '.join(named)}. A request need not have them."
    ]
