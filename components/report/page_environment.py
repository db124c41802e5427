"""What all pages in the style of the report are rendered with; imports no TensorFlow."""

import jinja2

from mtlx.components.report import formatting
from mtlx.components.report.sections import line_chart


def page_environment(package: str | None = None) -> jinja2.Environment:
    """The templates of the report, and its filters.

    Args:
        package: with a folder ``templates`` of pages of its own, which may take pieces and the
            style sheet of the report; None for the report's alone.

    Returns:
        An environment that escapes all text.
    """
    packages = [*([package] if package else []), "mtlx.components.report"]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name, "templates") for name in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(formatting.FILTERS)
    environment.globals.update(
        share=formatting.share,
        chart_size={name: getattr(line_chart, name) for name in line_chart.__all__},
    )
    return environment
