#!/usr/bin/env python3
"""Reads a model file of Limbeck into golden_model.py: a safetensors file whose metadata `limbeck` is JSON with the
format and, as YAML, the options of the network.

    python3 -m pip install torch numpy safetensors pyyaml
    python3 tests/golden/read_model.py MODEL.safetensors SIGNALS.safetensors

SIGNALS holds `noisy` and `estimate` [B, L], what the model made of it. Prints the largest difference from what comes
out here, in double precision, as a share of the largest value; fails above 1e-5.
"""
import json
import sys

import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file

from golden_model import Autoencoder, complete

BOUND = 1e-5


def read_model(path):
    """In eval mode; parameters take the default dtype."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["limbeck"])
        state = {name: file.get_tensor(name) for name in file.keys()}
    assert header["format"] == 1, f"{path}: format {header['format']}"
    model = Autoencoder(complete(yaml.safe_load(header["model"])))
    own = [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]
    assert sorted(own) == sorted(state), f"{path}: other names: {sorted(set(own) ^ set(state))}"
    model.load_state_dict(state, strict=False)
    return model.eval()


def main():
    torch.set_default_dtype(torch.float64)
    model, signals = read_model(sys.argv[1]), load_file(sys.argv[2])
    with torch.no_grad():
        estimate = model(signals["noisy"].double())[0]
    difference = ((estimate - signals["estimate"]).abs().max() / estimate.abs().max()).item()
    print(f"{sys.argv[1]}: {sum(p.numel() for p in model.parameters())} parameters, difference {difference:.2g}")
    sys.exit(0 if difference < BOUND else 1)


if __name__ == "__main__":
    main()
