"""PyYAML's safe loader, the faster of the two that there are."""

from typing import Any

import yaml

#: The C library's loader is ten times as fast; not every build of PyYAML has it.
SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
