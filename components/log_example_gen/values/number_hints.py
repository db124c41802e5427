"""What a text that is no number looks like, for the message about it."""

import math
import re

_HINTS = {
    r"[+-]?inf(inity)?": "it is infinite",
    r"nan|null|none|nil|n/?a|\\n|-+|\?+|unknown|missing|undefined": (
        "it looks like a missing value: add it to data.options.missing"
    ),
    r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?": "thousands separators: write it without them",
    r"[+-]?\d{1,3}([ '_’\u00a0\u202f.]\d{3})+([.,]\d*)?": (
        "thousands separators: write it without them"
    ),
    r"[+-]?\d*,\d+": "a decimal comma: write a point",
    # Before the currencies: 0xff is no amount of xff.
    r"[+-]?0x[\da-f]+": "a hexadecimal number: write it in decimals",
    r"([$€£¥₹]|[a-z]{3} ?)\s*[+-]?[\d.,]+|[+-]?[\d.,]+\s*([$€£¥₹]|[a-z]{3})": (
        "a currency: write the number alone"
    ),
    r"[+-]?[\d.,]+\s*%": "a percentage: write the number alone",
    r"true|false|yes|no": "a truth value: write 1 and 0",
    r"\d{4}-\d{2}-\d{2}.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*": "a date: write a number",
}


def number_hint(text: str) -> str:
    """Says in few words what a malformed number looks like, ``""`` where that is not known."""
    bare = text.strip().lower()
    try:
        number = float(bare)
    except ValueError:
        number = math.nan
    if not math.isnan(number) and (not math.isinf(number) or any(c.isdigit() for c in bare)):
        # It is a number, so it was refused for its size; texts such as 1_000 come below.
        if abs(number) > 3.4e38:
            return "it is too large for float32"
    for pattern, hint in _HINTS.items():
        if re.fullmatch(pattern, bare, re.DOTALL):
            return hint
    return ""
