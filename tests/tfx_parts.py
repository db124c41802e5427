"""What tests take of `tfx.v1`.

That module imports clients of Google's cloud besides, which takes three seconds in every process.
"""

from types import SimpleNamespace

from tfx import components as _components
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.proto.example_gen_pb2 import Input
from tfx.proto.pusher_pb2 import PushDestination
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.types import Channel, standard_artifacts

components = SimpleNamespace(
    CsvExampleGen=_components.CsvExampleGen,
    ExampleValidator=_components.ExampleValidator,
    ImportExampleGen=_components.ImportExampleGen,
    ImportSchemaGen=ImportSchemaGen,
    Pusher=_components.Pusher,
    SchemaGen=_components.SchemaGen,
    StatisticsGen=_components.StatisticsGen,
    Trainer=_components.Trainer,
    Transform=_components.Transform,
)
dsl = SimpleNamespace(
    Channel=Channel,
    Importer=Importer,
    Pipeline=Pipeline,
    Resolver=Resolver,
    experimental=SimpleNamespace(LatestBlessedModelStrategy=LatestBlessedModelStrategy),
)
orchestration = SimpleNamespace(LocalDagRunner=LocalDagRunner, metadata=metadata)
proto = SimpleNamespace(
    EvalArgs=EvalArgs, Input=Input, PushDestination=PushDestination, TrainArgs=TrainArgs
)
types = SimpleNamespace(standard_artifacts=standard_artifacts)
