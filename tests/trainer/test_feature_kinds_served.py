"""A log with every kind of feature: read, transformed, exported, and scored in every way."""

import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from mtlx.components.model_insight.evaluated_rows import _features as read_features
from mtlx.components.serving_check.request_rows import columns_of, without_labels
from mtlx.components.slice_evaluation.models.served_model import ServedModel as Evaluated
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.pretrained.given_vectors import GivenVectors
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.serving.scoring import Scorer, ScoringError
from mtlx.trainer.serving.serving_contract import read_serving_contract
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.warm_start.warm_start import vocabularies_of
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import FIRST_VALUE_ID, MISSING_ID
from mtlx.transform.contract.name_checks import served_name
from tests.trainer import served_log

ROWS, SIZE = 140, 3
FEATURES = {
    "item": {"kind": "categorical", "pretrained": {"path": "vectors.parquet", "size": 2}},
    "city": {"kind": "categorical"},
    "hour": {"kind": "categorical", "embed": False},
    "genres": {"kind": "categorical", "multiple": True, "weights": "genre_weights",
               "pooling": "sum", "max_values": 3},
    "tags": {"kind": "categorical", "multiple": True, "weight_mark": ":", "column": "tag_list",
             "hash_buckets": 32, "pooling": "sqrt_n"},
    "brands": {"kind": "categorical", "multiple": True},
    "text": {"kind": "vector", "size": SIZE, "standardise": True},
    "image": {"kind": "vector", "size": 2, "column": "img"},
    "price": {"kind": "numeric", "transform": ["zscore", "quantile_buckets"], "buckets": 4},
    "place": {"kind": "numeric", "column": "position", "serve_as": 1},
    "slot": {"kind": "categorical", "serve_as": "top"},
    "seen": {"kind": "vector", "size": 2, "dropped": True},
    "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
    "city_hour": {"kind": "cross", "of": ["city", "hour"], "hash_buckets": 50},
    "city_slot": {"kind": "cross", "of": ["city", "slot"], "hash_buckets": 30},
}  # fmt: skip
CONTRACT = {
    "features": FEATURES,
    "tasks": {"ctr": {"label": "click"}},
    "target_item": "item",
    # Either side has some of most kinds; `city_hour` is of both.
    "request_features": ["hour", "genres", "text", "clicks"],
}
TRAINING_ONLY = ["place", "slot", "seen"]


def make_frame(rows=ROWS, seed=0):
    """Rows of the log, some without values, one behind the other in lists."""
    random = np.random.default_rng(seed)

    def some(prefix, most):
        return [f"{prefix}{n}" for n in random.integers(0, 9, random.integers(0, most))]

    genres = [some("g", 6) for _ in range(rows)]
    frame = pd.DataFrame(
        {
            "item": [f"i{n}" for n in random.integers(0, 9, rows)],
            "city": [f"c{n}" for n in random.integers(0, 4, rows)],
            "hour": random.integers(0, 24, rows),
            "genres": genres,
            "genre_weights": [list(random.integers(0, 4, len(one)) / 2.0) for one in genres],
            "tag_list": [
                [f"{tag}:{random.integers(1, 5) / 4}" for tag in some("t:", 4)] for _ in range(rows)
            ],
            "brands": ["|".join(some("b", 4)) for _ in range(rows)],
            "text": list(random.normal(3, 2, (rows, SIZE)).astype("float32")),
            "img": [random.normal(size=2).tolist() for _ in range(rows)],
            "price": random.lognormal(2, 1, rows),
            "position": random.integers(1, 9, rows),
            "slot": random.choice(["top", "side"], rows),
            "seen": [random.normal(size=2).tolist() for _ in range(rows)],
            "clicks": [some("i", 5) for _ in range(rows)],
            "click": random.integers(0, 2, rows),
        }
    )
    frame.at[3, "text"] = None
    frame.at[4, "img"] = []
    frame.loc[5, "city"] = None
    frame.at[6, "genres"], frame.at[6, "genre_weights"] = ["g1", None, "g2"], [1.0, 2.0, 0.5]
    frame.at[7, "genres"], frame.at[7, "genre_weights"] = ["g1"], [0.0]
    return frame


def read_contract(folder):
    """The contract of the log, with the path of its vectors."""
    path = folder / "vectors.parquet"
    values = [f"i{n}" for n in range(4)] + ["never seen"]
    table = {"value": values, "vector": [[float(n), 1.0] for n in range(5)]}
    pd.DataFrame(table).to_parquet(path)
    pretrained = {"path": str(path), "size": 2}
    item = {"kind": "categorical", "pretrained": pretrained}
    return DataContract.read({**CONTRACT, "features": {**FEATURES, "item": item}})


def transformed_log(folder, contract, frame):
    """Examples in the log's order, the transform, and the rows that a model would be trained on."""
    (folder / "logs").mkdir()
    frame.to_parquet(folder / "logs" / "log.parquet")
    examples = served_log._ingest(folder, contract, "log")
    transformed = served_log._transform(folder, contract, "log")
    return examples, transformed, served_log._training_rows(folder, transformed)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    contract, frame = read_contract(folder), make_frame()
    examples, transformed, rows = transformed_log(folder, contract, frame)
    inputs = build_model_inputs(contract, transformed)
    given = GivenVectors(contract, vocabularies_of(contract, transformed))
    model = build_model(inputs, ModelSettings(network="shared_bottom", embedding_size=4))
    for index, variable in enumerate(model.variables):
        shape, table = variable.shape, variable.path.endswith("table")
        deviation = 1.0 if table else 0.1 if len(shape) < 2 else 1.2 * shape[-2] ** -0.5
        variable.assign(keras.random.normal(shape, stddev=deviation, seed=index))
    given.given_to(model)
    ServedModel(model, transformed, contract).save(str(folder / "model"))
    return SimpleNamespace(
        folder=folder, contract=contract, frame=frame, examples=examples, rows=rows, model=model,
        inputs=inputs, given=given, transformed=transformed, path=str(folder / "model"),
        signatures=tf.saved_model.load(str(folder / "model")).signatures,
    )  # fmt: skip


def _by_examples(shop, examples=None):
    given = tf.constant(shop.examples if examples is None else examples)
    return shop.signatures["serving_default"](given)["ctr"].numpy()


def _trained(shop, **changed):
    rows = {**shop.rows, **changed}
    return shop.model(rows)["probabilities"].numpy()[:, 0]


def _as_served(shop):
    """What the trained model says of the rows, training-only features as they are served."""
    rows = len(shop.rows["place"])
    mean, deviation = (f(shop.frame["position"][:rows]) for f in (np.mean, np.std))
    vocabulary = vocabularies_of(shop.contract, shop.transformed)("slot")
    cities = ["" if city is None else city for city in shop.frame["city"][:rows]]
    told = tf.constant([f"{len(city)}:{city}3:top" for city in cities])
    crossed = FIRST_VALUE_ID + tf.strings.to_hash_bucket_fast(told, 30).numpy()
    return _trained(
        shop,
        place=np.full(rows, (1 - mean) / deviation, "float32"),
        slot=np.full(rows, 3 + vocabulary.index(b"top")),
        seen=np.zeros((rows, 2), "float32"),
        city_slot=np.where([city == "" for city in cities], MISSING_ID, crossed),
    )


def test_both_signatures_and_the_scorer_say_what_the_trained_model_says(shop):
    expected = _by_examples(shop)
    np.testing.assert_allclose(expected[: len(shop.rows["place"])], _as_served(shop), atol=1e-6)
    served = shop.contract.served
    columns = columns_of(without_labels(shop.examples, served), served)
    given = {served_name(name): tf.constant(values) for name, values in columns.items()}
    found = shop.signatures["serving_columns"](**given)
    np.testing.assert_allclose(found["ctr"].numpy(), expected, atol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scorer = Scorer(shop.path)
        frame = shop.frame.drop(columns=["position", "slot", "seen"])
        np.testing.assert_allclose(scorer.score(frame)["ctr"], expected, atol=1e-6)
    assert len(np.unique(expected.round(5))) > 0.9 * ROWS


def _of_request(shop, row, items):
    """What `serving_request` says of items beside a row's request, and `serving_columns` does."""
    served = shop.contract.served
    columns = columns_of(without_labels(shop.examples, served), served)
    once = {name: tf.constant(columns[name][row : row + 1]) for name in served.request_side}
    own = {n: tf.constant(values[items]) for n, values in columns.items() if n not in once}
    repeated = {name: tf.repeat(values, len(items), axis=0) for name, values in once.items()}
    return [
        shop.signatures[signature](**{served_name(n): x for n, x in {**own, **given}.items()})[
            "ctr"
        ].numpy()
        for signature, given in (("serving_request", once), ("serving_columns", repeated))
    ]


@pytest.mark.parametrize("row", [4, 6, 20])
def test_a_request_says_what_is_its_own_once(shop, row):
    """The same as with every item, in the items' order; and what it says moves them all."""
    items = np.random.default_rng(row).permutation(ROWS)[:90]
    found, expected = _of_request(shop, row, items)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert len(np.unique(found.round(5))) > 60
    another, _ = _of_request(shop, row + 1, items)
    assert np.abs(another - found).min() > 1e-6
    for some in (items[:1], items[:0]):
        found, expected = _of_request(shop, row, some)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_scorer_takes_a_request_and_its_items(shop):
    """And counts as if every item's row held what the request has."""
    one, other = Scorer(shop.path), Scorer(shop.path)
    assert one.request_columns == ["hour", "genres", "genre_weights", "text", "clicks"]
    frame = shop.frame.drop(columns=["position", "slot", "seen", "click"])
    request = {name: frame[name][6] for name in one.request_columns}
    items = frame.drop(columns=one.request_columns).iloc[20:50]
    once = {n: pd.Series([x] * len(items), index=items.index) for n, x in request.items()}
    found = one.score_request(request, items, batch_rows=12)
    pd.testing.assert_frame_equal(found, other.score(items.assign(**once)), atol=1e-6)
    pd.testing.assert_frame_equal(one.counts(), other.counts())
    with pytest.raises(ScoringError, match="no column 'hour'.* reads hour, genres, .* here"):
        one.score_request({"genres": []}, items)
    with pytest.raises(ScoringError, match="no column 'city'"):
        one.score_request(request, items.drop(columns="city"))
    with pytest.raises(ScoringError, match="column 'genre_weights', position 0: .*negative"):
        one.score_request({**request, "genres": ["g1"], "genre_weights": [-1.0]}, items)


def _look_ups(signature):
    """How many look-ups in vocabularies a signature has, its functions' included."""
    graph = signature.graph.as_graph_def()
    functions = {one.signature.name: one.node_def for one in graph.library.function}
    rest, seen, count = [graph.node], set(), 0
    while rest:
        for node in rest.pop():
            count += node.op.startswith("LookupTableFind")
            called = {value.func.name for value in node.attr.values()} & set(functions) - seen
            rest += [functions[name] for name in called]
            seen |= called
    return count


def test_a_request_looks_nothing_up_twice(shop):
    """Its two sides read vocabularies as often as rows do, which have no sides: also of `slot`,
    which both sides are given, one for its id and one for a cross.
    """
    request, rows = (shop.signatures[f"serving_{name}"] for name in ("request", "columns"))
    assert _look_ups(request) == _look_ups(rows) > 0


def test_a_request_of_two_users_is_refused(shop):
    inputs = shop.signatures["serving_request"].structured_input_signature[1]
    columns = {n: tf.zeros([2] + [0] * (x.shape.rank - 1), x.dtype) for n, x in inputs.items()}
    columns |= {"text": tf.fill([2, SIZE], np.nan), "image": tf.fill([2, 2], np.nan)}
    says = "Column hour has 2 rows, and a request has one for all its items: give one"
    with pytest.raises(tf.errors.InvalidArgumentError, match=says):
        shop.signatures["serving_request"](**columns)
    one = {n: x[:1] if n in ("hour", "genres", "genres_weights", "text", "clicks") else x
           for n, x in columns.items()}  # fmt: skip
    with pytest.raises(tf.errors.InvalidArgumentError, match="item has 2 rows, city has 1"):
        shop.signatures["serving_request"](**{**one, "city": tf.constant(["c1"])})
    with pytest.raises(tf.errors.InvalidArgumentError, match="Feature genres.weights lacks a we"):
        shop.signatures["serving_request"](
            **{**one, "genres": [["g1"]], "genres_weights": [[-1.0]]}
        )


@pytest.mark.parametrize("name", ["item", "city", "genres", "tags", "brands",
                                  "text", "image", "price", "clicks", "hour"])  # fmt: skip
def test_every_feature_moves_the_served_score(shop, name):
    order = np.roll(np.arange(ROWS), 1)
    changed = []
    for position, other in enumerate(order):
        example = tf.train.Example.FromString(shop.examples[position])
        another = tf.train.Example.FromString(shop.examples[other])
        for one in (name, f"{name}.weights"):
            example.features.feature[one].CopyFrom(another.features.feature[one])
        changed.append(example.SerializeToString())
    assert np.abs(_by_examples(shop, changed) - _by_examples(shop)).max() > 1e-3


def test_training_only_features_are_neither_asked_for_nor_read(shop):
    served = read_serving_contract(shop.path)
    assert not set(TRAINING_ONLY) & set(served.features)
    assert shop.contract.training_only == TRAINING_ONLY
    inputs = shop.signatures["serving_columns"].structured_input_signature[1]
    assert not set(TRAINING_ONLY) & set(inputs)
    changed = []
    for position, example in enumerate(shop.examples):
        parsed = tf.train.Example.FromString(example)
        for name in TRAINING_ONLY[: position % 4]:
            parsed.features.feature[name].Clear()
        changed.append(parsed.SerializeToString())
    np.testing.assert_array_equal(_by_examples(shop, changed), _by_examples(shop))
    assert list(served.crosses) == ["city_hour"]
    # In training they are read.
    place = shop.rows["place"][::-1]
    assert np.abs(_trained(shop, place=place) - _trained(shop)).max() > 1e-2


def test_evaluation_and_insight_see_rows_as_they_are_served(shop):
    """Of rows as they were logged, positions and all; requests have none."""
    expected = _by_examples(shop, without_labels(shop.examples, shop.contract.served))
    evaluated = Evaluated("candidate", shop.path, ("ctr",)).predict(shop.examples)["ctr"]
    np.testing.assert_allclose(evaluated, expected, atol=1e-6)
    served = ServedModel(shop.model, shop.transformed, shop.contract)
    looked_into = read_features(np.array(shop.examples, object), served, lambda _: None)
    found = shop.model(looked_into)["probabilities"].numpy()[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found[: len(shop.rows["place"])] - _trained(shop)).max() > 1e-2


def test_transformed_values_follow_the_rules(shop):
    rows = shop.rows
    ids, weights = rows["genres"].numpy(), rows["genres.weights"].numpy()
    vocabulary = [v.decode() for v in vocabularies_of(shop.contract, shop.transformed)("genres")]
    for position in range(len(ids)):
        values = shop.frame["genres"][position], shop.frame["genre_weights"][position]
        kept = [(v, w) for v, w in zip(*values, strict=True) if v and w > 0][:3]
        expected = [(3 + vocabulary.index(v), w) for v, w in kept] or [(MISSING_ID, 1.0)]
        expected += [(0, 0.0)] * (3 - len(expected))
        assert list(zip(ids[position], weights[position], strict=True)) == expected
    text = np.stack([x for x in shop.frame["text"][: len(ids)] if x is not None])
    there = [x is not None for x in shop.frame["text"][: len(ids)]]
    standard = (text - text.mean(axis=0)) / text.std(axis=0)
    np.testing.assert_allclose(rows["text"].numpy()[there], standard, atol=1e-4)
    assert (rows["text"].numpy()[~np.array(there)] == 0).all()
    crossed = rows["city_hour"].numpy()
    pairs = [f"{c} {h}" for c, h in zip(shop.frame["city"], shop.frame["hour"], strict=True)]
    for pair in set(pairs[: len(ids)]):
        same = [crossed[n] for n in range(len(ids)) if pairs[n] == pair]
        assert len(set(same)) == 1
        assert (same[0] == MISSING_ID) == pair.startswith("None")


def test_the_field_is_what_the_equations_say(shop):
    """Pooled values, projected vectors and pretrained rows, by NumPy."""
    embedding = shop.model.embeddings[0]
    rows = {name: np.asarray(values) for name, values in shop.rows.items()}
    fields = np.asarray(embedding({n: tf.constant(v) for n, v in rows.items()}).fields)
    inputs = shop.inputs
    names = [f.name for f in (*inputs.fields, *inputs.multiple, *inputs.vectors)]
    assert fields.shape[1] == len(names)
    table, start = np.asarray(embedding.table), {}
    place = 0
    for field in inputs.tables:
        start[field.name] = place
        place += field.cardinality
    for field in inputs.multiple:
        ids = rows[field.name]
        weights = rows[field.weights] if field.weights else (ids != 0).astype("float32")
        values = (table[ids + start[field.name]] * weights[..., None]).sum(axis=1)
        size = {
            "sum": 1.0,
            "mean": weights.sum(axis=1, keepdims=True),
            "sqrt_n": np.sqrt((weights**2).sum(axis=1, keepdims=True)),
        }[field.pooling]
        np.testing.assert_allclose(fields[:, names.index(field.name)], values / size, atol=1e-5)
    for index, vector in enumerate(inputs.vectors):
        made = rows[vector.name] @ np.asarray(embedding.projections[index])
        made += np.asarray(embedding.vector_intercepts)[index]
        np.testing.assert_allclose(fields[:, names.index(vector.name)], made, atol=1e-5)
    pretrained = embedding.pretrained["item"]
    vocabulary = vocabularies_of(shop.contract, shop.transformed)("item")
    vectors = {f"i{n}".encode(): [float(n), 1.0] for n in range(4)}
    for row, identifier in enumerate(rows["item"]):
        own = vectors.get(vocabulary[identifier - 3])
        expected = table[identifier] if own is None else own @ np.asarray(pretrained.projection)
        np.testing.assert_allclose(fields[row, names.index("item")], expected, atol=1e-5)
    assert shop.given.notes == [
        "Pretrained vectors of item: 4 of 9 values of the vocabulary (44.4%) have one; 1 of the "
        "file's 5 are not in it."
    ]


def _request(shop, **features):
    example = tf.train.Example.FromString(shop.examples[0])
    for name, values in features.items():
        feature = example.features.feature[name.replace("__", ".")]
        feature.Clear()
        kind = feature.bytes_list if isinstance(values[0], bytes) else feature.float_list
        kind.value.extend(values)
    return [shop.examples[1], example.SerializeToString()]


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"text": [1.0, 2.0]}, "Feature text has 2 finite numbers at position 1 .* have 3"),
        ({"text": [1.0, float("nan"), 2.0]}, "Feature text has 2 finite numbers at position 1"),
        ({"image": [1.0] * 5}, "Feature image has 5 finite numbers at position 1"),
        (
            {"genres": [b"g1", b"g2"], "genres__weights": [1.0]},
            "Feature genres.weights has 1 values at position 1 .* genres has 2",
        ),
        (
            {"genres": [b"g1"], "genres__weights": [-1.0]},
            "Feature genres.weights lacks a weight of genres or has one below 0 at position 1",
        ),
        (
            {"genres": [b"g1"], "genres__weights": [float("nan")]},
            "Feature genres.weights lacks a weight of genres or has one below 0 at position 1",
        ),
    ],
)
def test_requests_that_no_log_could_hold_are_refused(shop, features, says):
    with pytest.raises(tf.errors.InvalidArgumentError, match=says):
        _by_examples(shop, _request(shop, **features))


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("text", [1.0, 2.0], "column 'text', position 2: a vector of 2 numbers, .* have 3"),
        ("text", [1.0, np.inf, 0.0], "column 'text', position 2: a vector with what is no finite"),
        ("genre_weights", [1.0] * 9, "column 'genre_weights', position 2: 9 weights of"),
        ("tag_list", ["t:-1"], "column 'tag_list', position 2: a weight that is negative"),
        ("tag_list", ["t"], "column 'tag_list', position 2"),
    ],
)
def test_the_scorer_names_column_and_position(shop, column, value, says):
    frame = shop.frame.head(5).drop(columns=["position", "slot", "seen"])
    frame[column] = [*frame[column][:2], value, *frame[column][3:]]
    with pytest.raises(ScoringError, match=says):
        Scorer(shop.path).score(frame)


@pytest.mark.parametrize(("name", "column", "size"), [("text", "text", SIZE), ("image", "img", 2)])
def test_a_number_of_a_vector_far_away_counts_as_one_at_ten_deviations(shop, name, column, size):
    """As a rating of 1,000 would, it decided alone."""
    frame = shop.frame.head(3).drop(columns=["position", "slot", "seen"])
    scorer, scores = Scorer(shop.path), []
    for number in (1e4, 1e30):
        frame[column] = [[0.0] * size, [number, *[0.0] * (size - 1)], [-number] * size]
        scores.append(scorer.score(frame))
    pd.testing.assert_frame_equal(*scores)
    assert np.isfinite(scores[0].to_numpy()).all()
    counts = scorer.counts().loc[name]
    assert (counts["present"], counts["clipped"]) == (6, 4)


@pytest.mark.parametrize(
    ("name", "columns", "largest"),
    [
        ("genres", lambda w: {"genres": ["g1", "g2"], "genre_weights": [w, 0.5]}, 1.5),
        ("tags", lambda w: {"tag_list": [f"t:1:{w}", "t:2:0.5"]}, 1.0),
    ],
)
def test_a_weight_counts_as_the_largest_of_the_training_split(shop, name, columns, largest):
    """With ``sum`` it decided alone; of ``sqrt_n`` the square had no room in a float."""
    frame = shop.frame.head(3).drop(columns=["position", "slot", "seen"])
    scorer, scores = Scorer(shop.path), []
    for weight in (0.75, largest, 1e4, 3e38):
        for column, value in columns(weight).items():
            frame[column] = [value] * 3
        scores.append(scorer.score(frame).to_numpy())
    assert abs(scores[0] - scores[1]).max() > 1e-4
    for far in scores[2:]:
        np.testing.assert_array_equal(far, scores[1])
    assert scorer.counts().loc[f"{name}.weights", "clipped"] == 6
