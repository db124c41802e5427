"""The one file that scores without this project knows the same names as the rest."""

import ast
import pathlib

from mtlx.trainer.serving import scoring, serving_contract, signatures


def test_the_scorer_and_the_export_agree():
    assert scoring.CONTRACT_FILE == serving_contract.SERVING_CONTRACT_FILE
    assert scoring.CONTRACT_FORMAT == serving_contract.FORMAT
    texts = {
        node.value
        for node in ast.walk(ast.parse(pathlib.Path(scoring.__file__).read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert signatures.EXAMPLES_SIGNATURE in texts
    names = {text for text in texts if text.startswith("serving_") and " " not in text}
    known = {value for name, value in vars(signatures).items() if name.endswith("_SIGNATURE")}
    assert names <= known
