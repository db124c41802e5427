"""What the report says of the experiment: by name, on the first screen, and every setting below."""

from mtlx.components.report.sections.experiment_view import (
    experiment_facts,
    experiment_sections,
    model_words,
)


def test_models_are_named_with_their_options(report_data):
    assert model_words(report_data.experiment) == {
        "candidate": "dtn (units 64, embedding_size 8)",
        "reference": "ple",
    }


def test_training_selection_span_and_gate_are_among_the_facts(report_data):
    facts = dict(experiment_facts(report_data.experiment, report_data.span))
    assert facts["Training"] == "learning_rate 0.001, epochs 8"
    assert facts["Selection"] == "select_by auc"
    assert facts["Data"] == "span 20000 (2024-10-04), reader csv, split by hash"
    assert facts["Gate"] == "baseline latest_blessed; 4 thresholds"


def test_a_value_too_long_for_the_first_screen_is_named_and_stands_below():
    options = {"interactions": [{"name": "gdcn", "options": {"rank": 16, "layers": 3}}]}
    experiment = {"model": {"network": "dtn", "options": options}}
    assert model_words(experiment) == {"candidate": "dtn (interactions …)"}
    (section,) = experiment_sections(experiment)
    assert dict(section.rows)["options.interactions"].startswith("[{name: gdcn, options: {rank")


def test_logs_without_portions_have_no_span(report_data):
    experiment = {"data": {"reader": "csv", "path": ["/logs/*.csv"]}}
    assert experiment_facts(experiment, 0) == [("Data", "reader csv")]


def test_every_setting_stands_below(report_data):
    sections = {view.name: dict(view.rows) for view in experiment_sections(report_data.experiment)}
    assert list(sections) == ["name", "data", "model", "training", "gate"]
    assert sections["name"] == {"": "default"}
    assert sections["data"]["split"] == "by: hash, of: user_id"
    assert sections["model"]["options"] == "units: 64"
    assert "rule: relaimp" in sections["gate"]["thresholds"]


def test_a_run_without_a_record_of_its_experiment():
    assert (model_words({}), experiment_facts({}, None), experiment_sections({})) == ({}, [], [])
