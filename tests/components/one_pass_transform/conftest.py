"""The log and the transforms that the analyses are compared on."""

from tests.transform.conftest import contract, one_pass, rows, transform  # noqa: F401
