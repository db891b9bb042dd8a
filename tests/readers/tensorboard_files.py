#!/usr/bin/env python3
"""Reads event files with TensorBoard's own code, and writes one to compare ours with.

Usage: tensorboard_files.py read LOGDIR
       tensorboard_files.py write FILE

`read` prints JSON: per run its scalars and images as `EventAccumulator` has them, and the table of
hyperparameters as the HPARAMS plugin answers its page. Exits 1 if a run lacks any of them, an image
does not have the size that its event says, or a run's row lacks its values; 2 if there is no run.

`write` makes crates/tensorboard/tests/it/written_by_tensorboard from TensorBoard's messages and
its RecordWriter.

Needs the packages tensorboard and pillow. Found with tensorboard 2.21.0, pillow 13.0.0 and protobuf 7.36.2: the 28
runs of experiments/lambda.toml, every scalar, image and hyperparameter, without a complaint.
"""

import io
import json
import sys

from PIL import Image

from tensorboard import context
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups, metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.summary.writer.record_writer import RecordWriter

EVERYTHING = {"scalars": 0, "images": 0, "tensors": 0}


def series(run_folder, complaints):
    """Scalars by tag: how many, and the last; images by tag: their step and size."""
    events = EventAccumulator(run_folder, EVERYTHING).Reload()
    scalars = {}
    for tag in sorted(events.Tags()["scalars"]):
        found = events.Scalars(tag)
        scalars[tag] = {"points": len(found), "step": found[-1].step, "value": repr(found[-1].value)}
    images = {}
    for tag in sorted(events.Tags()["images"]):
        found = events.Images(tag)[-1]
        size = Image.open(io.BytesIO(found.encoded_image_string)).size
        images[tag] = {"step": found.step, "size": size}
        if size != (found.width, found.height):
            complaints.append(f"{run_folder} {tag}: says {found.width} × {found.height}, is {size}")
    return {"scalars": scalars, "images": images}


def plain(value):
    return getattr(value, value.WhichOneof("kind"))


def domain(info):
    if info.HasField("domain_interval"):
        return [info.domain_interval.min_value, info.domain_interval.max_value]
    return [plain(value) for value in info.domain_discrete.values]


def table(logdir):
    """Columns and rows of the HPARAMS dashboard, by the code that answers its page."""
    multiplexer = EventMultiplexer(tensor_size_guidance={"hparams": 0, "scalars": 0})
    multiplexer.AddRunsFromDirectory(logdir).Reload()
    provider = MultiplexerDataProvider(multiplexer, logdir)
    plugin = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    here = context.RequestContext()
    contents = plugin.hparams_metadata(here, "")
    none = provider.list_hyperparameters(here, experiment_ids=[""], limit=None)
    experiment = plugin.experiment_from_metadata(here, "", True, contents, none)
    columns = {
        info.name: {
            "type": api_pb2.DataType.Name(info.type),
            "domain": domain(info),
            "differs": info.differs,
        }
        for info in experiment.hparam_infos
    }
    statuses = list(api_pb2.Status.values())
    request = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=statuses, slice_size=100_000, include_metrics=True
    )
    answer = list_session_groups.Handler(here, plugin, "", request).run()
    rows = {}
    for group in answer.session_groups:
        (session,) = group.sessions
        rows[session.name] = {
            "status": api_pb2.Status.Name(session.status),
            "seconds": round(session.end_time_secs - session.start_time_secs, 3),
            "hparams": {name: plain(group.hparams[name]) for name in sorted(group.hparams)},
            "metrics": {it.name.tag: repr(it.value) for it in session.metric_values},
        }
    metrics = [info.name.tag for info in experiment.metric_infos]
    return {"columns": columns, "metrics": metrics, "rows": dict(sorted(rows.items()))}


def read(logdir):
    multiplexer = EventMultiplexer().AddRunsFromDirectory(logdir)
    complaints = []
    names = sorted(multiplexer.Runs())
    if not names:
        print(f"no event files below {logdir}", file=sys.stderr)
        return 2
    runs = {name: series(f"{logdir}/{name}", complaints) for name in names}
    found = table(logdir)
    for name, run in runs.items():
        complaints.extend(f"{name}: no {kind}" for kind in run if not run[kind])
        row = found["rows"].get(name, {"hparams": {}})
        if set(row["hparams"]) != set(found["columns"]) or not row["hparams"]:
            complaints.append(f"{name}: its row is {row}")
    print(json.dumps({"runs": runs, "hparams": found, "complaints": complaints}, indent=1))
    return 1 if complaints else 0


# A PNG of two pixels.
RED_AND_BLUE = (
    "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd0000000f494441"
    "54789c63f8cfc0c0c0f01f00070001ff7e08b1d00000000049454e44ae426082"
)


def golden():
    """The events that `the_bytes_are_tensorboard_s` writes."""

    def event(wall_time, step, **value):
        found = Event(wall_time=wall_time, step=step)
        found.summary.value.add(**value)
        return found

    def plugin(wall_time, tag, **content):
        content = HParamsPluginData(**content)
        summary_metadata = metadata.create_summary_metadata(content)
        # Maps have no order otherwise.
        summary_metadata.plugin_data.content = content.SerializeToString(deterministic=True)
        return event(wall_time, 0, tag=tag, metadata=summary_metadata, tensor=metadata.NULL_TENSOR)

    start, end = 1_700_000_000.0, 1_700_000_060.5
    yield Event(wall_time=start, step=0, file_version="brain.Event:2")

    experiment = api_pb2.Experiment()
    lambda_cycle = experiment.hparam_infos.add(name="loss.lambda_cycle", differs=True)
    lambda_cycle.type = api_pb2.DATA_TYPE_FLOAT64
    lambda_cycle.domain_interval.min_value = 0.0
    lambda_cycle.domain_interval.max_value = 10.0
    gan_mode = experiment.hparam_infos.add(name="loss.gan_mode", differs=True)
    gan_mode.type = api_pb2.DATA_TYPE_STRING
    gan_mode.domain_discrete.extend(["lsgan", "vanilla"])
    flip = experiment.hparam_infos.add(name="data.flip", differs=False)
    flip.type = api_pb2.DATA_TYPE_BOOL
    flip.domain_discrete.extend([True])
    experiment.metric_infos.add().name.tag = "eval/eval/l1_ab"
    yield plugin(start, metadata.EXPERIMENT_TAG, experiment=experiment)

    content = HParamsPluginData()
    session = content.session_start_info
    session.hparams["loss.lambda_cycle"].number_value = 10.0
    session.hparams["loss.gan_mode"].string_value = "vanilla"
    session.hparams["data.flip"].bool_value = True
    session.start_time_secs = start
    yield plugin(start, metadata.SESSION_START_INFO_TAG, session_start_info=session)

    content = HParamsPluginData()
    content.session_end_info.status = api_pb2.STATUS_SUCCESS
    content.session_end_info.end_time_secs = end
    yield plugin(end, metadata.SESSION_END_INFO_TAG, session_end_info=content.session_end_info)

    yield event(start + 1, 5, tag="train/loss/cycle_a", simple_value=0.5)
    yield event(start + 2, 10, tag="train/loss/cycle_a", simple_value=0.0)
    yield event(start + 3, 15, tag="train/loss/cycle_a", simple_value=float("nan"))
    yield event(start + 4, 15, tag="eval/eval/l1_ab", simple_value=0.1)
    picture = {"height": 1, "width": 2, "colorspace": 3}
    picture["encoded_image_string"] = bytes.fromhex(RED_AND_BLUE)
    yield event(start + 4, 15, tag="samples/a/00007/fake", image=picture)


def write(path):
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in golden():
            writer.write(event.SerializeToString())
    return 0


if __name__ == "__main__":
    sys.exit({"read": read, "write": write}[sys.argv[1]](sys.argv[2]))
