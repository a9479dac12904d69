"""Holds what TensorBoard makes of LOGS/run/tensorboard against LOGS/run/metrics.jsonl.

Usage: tensorboard.py LOGS [--unfinished]
"""

import collections
import io
import json
import pathlib
import struct
import sys
import wave

# Beside this file, which has the same name, the package would not be found.
sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2


def numbers(prefix, values):
    """Tags and values of one line of metrics.jsonl."""
    for key, value in values.items():
        if isinstance(value, (int, float)) and key not in ("step", "steps"):
            yield f"{prefix}/{key}", value


def expected(metrics):
    tags = collections.defaultdict(list)
    for text in metrics.read_text().splitlines():
        line = json.loads(text)
        for tag, value in numbers(line["split"], line):
            tags[tag].append((line["step"], value))
        if line["split"] == "train":
            for tag, value in numbers("timing", line["timing"]):
                tags[tag].append((line["step"], value))
    return tags


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def main():
    run = pathlib.Path(sys.argv[1]) / "run"
    finished = "--unfinished" not in sys.argv
    folder = str(run / "tensorboard")
    everything = dict.fromkeys(("scalars", "images", "audio", "tensors"), 0)
    old = event_accumulator.EventAccumulator(folder, size_guidance=everything)
    old.Reload()
    tags = old.Tags()
    wanted = expected(run / "metrics.jsonl")
    check(sorted(tags["scalars"]) == sorted(wanted), f"tags: {sorted(set(tags['scalars']) ^ set(wanted))}")
    for tag, points in wanted.items():
        told = [(event.step, event.value) for event in old.Scalars(tag)]
        points = [(step, float32(value)) for step, value in points]
        # A line may have been the last that a killed process wrote.
        check(told == points or (not finished and told == points[:-1]), f"{tag}: {told} for {points}")
    for number in (1, 2, 3):
        for side in ("noisy", "clean", "estimate"):
            steps = [0] if side != "estimate" else [10, 20, 30, 40] if finished else None
            images = old.Images(f"spectrogram_{number}/{side}")
            sounds = old.Tensors(f"audio_{number}/{side}")
            for told in (images, sounds):
                check(steps is None or [event.step for event in told] == steps, f"steps of {number} {side}")
            for image in images:
                check(image.encoded_image_string.startswith(b"\x89PNG"), "an image is no PNG")
                check((image.width, image.height) == (200, 256), f"size {image.width} x {image.height}")
            for sound in sounds:
                with wave.open(io.BytesIO(sound.tensor_proto.string_val[0])) as file:
                    check(file.getframerate() == 16000 and file.getnframes() == 16000, "another sound")

    # What the plugins are given, after the migration that TensorBoard puts all events through.
    new = plugin_event_accumulator.EventAccumulator(folder)
    new.Reload()
    for plugin, count in (("scalars", len(wanted)), ("images", 9), ("audio", 9), ("hparams", 2)):
        content = new.PluginTagToContent(plugin)
        check(len(content) == count, f"{plugin} gets {len(content)} tags, not {count}: {sorted(content)}")
    start = plugin_data_pb2.HParamsPluginData.FromString(
        new.PluginTagToContent("hparams")["_hparams_/session_start_info"])
    options = start.session_start_info.hparams
    check(options["train.steps"].number_value == 40, "train.steps")
    check(options["train.optimizer.type"].string_value == "adamw", "train.optimizer.type")
    experiment = plugin_data_pb2.HParamsPluginData.FromString(
        new.PluginTagToContent("hparams")["_hparams_/experiment"]).experiment
    check({info.name.tag for info in experiment.metric_infos} <= set(wanted), "metrics of the options")
    check({info.name for info in experiment.hparam_infos} == set(options), "infos of the options")


main()
