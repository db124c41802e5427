"""Keeps the numeric analysis of a base model in the place of today's."""

from absl import logging
from tfx import types

from mtlx.trainer.warm_start.base_model import BaseModel, BaseModelError
from mtlx.transform.analysis.analysis import numeric_requests, vector_requests
from mtlx.transform.analysis.finished_analysis import read_numbers, write_numbers
from mtlx.transform.contract.data_contract import DataContract


def keep_base_numbers(
    models: list[types.Artifact], otherwise: str, contract: DataContract, analysis: str
) -> None:
    """Writes the base model's scalars over those of today's analysis.

    A number that the base model did not read, or read in another way (other buckets), keeps
    today's. Without a base model, as before the first one is blessed, all do.

    Args:
        models: the base model, or none.
        otherwise: ``initial`` where a base model that can't be used is to be passed by.
        contract: today's data contract.
        analysis: folder of the analysis.

    Raises:
        BaseModelError: the base model is gone, or has kept no analysis.
    """
    if not models:
        logging.info("The numeric analysis is today's: there is no base model yet")
        return
    try:
        base = BaseModel(models[0].uri)
        kept = base.numbers()
        if kept is None:
            raise BaseModelError(
                f"the base model {base.folder} has kept no numeric analysis: it was made with "
                "components.transform: stock"
            )
    except BaseModelError as error:
        if otherwise == "initial":
            logging.info("The numeric analysis is today's: %s", error)
            return
        raise BaseModelError(
            f"transform.reuse: {error}. Leave transform.reuse out, or set "
            "training.warm_start.otherwise to initial"
        ) from error
    today, before = (
        {**numeric_requests(one), **vector_requests(one)}
        for one in (contract, base.record.contract)
    )
    numbers = read_numbers(analysis)
    taken = [name for name in today if name in kept and today[name] == before.get(name)]
    write_numbers(analysis, {**numbers, **{name: kept[name] for name in taken}})
    others = [name for name in today if name not in taken]
    logging.info(
        "Numeric analysis of %s kept: %s; made anew: %s",
        base.folder,
        ", ".join(taken) or "none",
        ", ".join(others) or "none",
    )
