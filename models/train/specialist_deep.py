"""Trains the specialist's deep half: MiniLM's upper layers over hidden states that were computed once.

Batches hold texts of one length each, so nothing is padding and no attention mask is needed. The learning rate
warms up, holds, and falls linearly to nothing; the fall is measured in steps, or in minutes where a budget is set.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import structlog
import torch
from safetensors import torch as safetensors
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from framework.errors import TrainingError
from models.specialist import bins
from models.train.specialist_network import WIDTH, DeepNetwork, LowerLayers

_log = structlog.get_logger(__name__)

WARM_UP = 150  # steps
FALL = 0.75  # the share of the training over which the learning rate falls
STATES_BATCH = 6_144  # word pieces that pass the frozen layers at once


@dataclass(frozen=True, slots=True)
class DeepSettings:
    """How the deep half trains. With ``minutes`` it stops at that time, whatever ``epochs`` says.

    Against learning the texts by heart: each step leaves out up to ``token_dropout`` of the word pieces, so that no
    text is seen twice, and ``dropout`` of the activations; and the network that comes out is the moving average of the
    steps (Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992), the last one's share
    being 1 - ``averaging``.
    """

    epochs: int = 3
    minutes: float | None = None
    batch: int = 64
    learning_rate: float = 2e-4
    head_learning_rate: float = 1.5e-3
    weight_decay: float = 0.01
    label_width: float = 2.0
    token_dropout: float = 0.3
    dropout: float = 0.1
    averaging: float = 0.998
    checkpoint_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class States:
    """Hidden states of many texts on disk: text ``i`` has rows ``offsets[i]`` to ``offsets[i + 1]``."""

    values: npt.NDArray[np.float16]
    offsets: npt.NDArray[np.int64]

    def lengths(self) -> npt.NDArray[np.int64]:
        """Word pieces of each text."""
        return np.diff(self.offsets)

    def batch(self, rows: Sequence[int] | npt.NDArray[np.int64], device: torch.device) -> Tensor:
        """The states of texts that all have one length."""
        stacked = np.stack([self.values[self.offsets[row] : self.offsets[row + 1]] for row in rows])
        return torch.from_numpy(stacked.astype(np.float32)).to(device)


@dataclass(frozen=True, slots=True)
class DeepData:
    """Each text's states, the log price it should give and its weight; ``odds`` is its chance to be in an epoch."""

    states: States
    log_prices: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    odds: npt.NDArray[np.float64]


def freeze_states(
    path: Path, tokens: Sequence[npt.NDArray[np.int64]], pieces: Tensor, lower: LowerLayers, device: torch.device
) -> States:
    """Pass every text through the frozen layers, keeping the result at ``path``; a complete earlier file is used."""
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in tokens])]).astype(np.int64)
    shape = (int(offsets[-1]), WIDTH)
    done = path.with_suffix(".done")
    if not done.exists():
        values: Any = np.memmap(path, np.float16, "w+", shape=shape)
        groups = same_length_batches(np.diff(offsets), STATES_BATCH, None)
        with torch.no_grad():
            for number, rows in enumerate(groups):
                ids = torch.from_numpy(np.stack([tokens[row] for row in rows]))
                hidden = lower(pieces[ids].to(device)).cpu().numpy().astype(np.float16)
                for row, state in zip(rows, hidden, strict=True):
                    values[offsets[row] : offsets[row + 1]] = state
                if number % 100 == 0:
                    _log.info("states", batch=number, batches=len(groups))
        values.flush()
        done.touch()
    return States(np.memmap(path, np.float16, "r", shape=shape), offsets)


def same_length_batches(
    lengths: npt.NDArray[np.int64], tokens: int, rng: np.random.Generator | None, rows: int | None = None
) -> list[npt.NDArray[np.int64]]:
    """Indices in groups of one length each, of at most ``rows`` texts or ``tokens`` pieces; shuffled by ``rng``."""
    by_length: dict[int, list[int]] = defaultdict(list)
    order = range(len(lengths)) if rng is None else rng.permutation(len(lengths))
    for index in order:
        by_length[int(lengths[index])].append(int(index))
    batches = []
    for length, members in sorted(by_length.items()):
        size = rows or max(1, tokens // length)
        batches += [np.array(members[start : start + size]) for start in range(0, len(members), size)]
    return batches if rng is None else [batches[index] for index in rng.permutation(len(batches))]


class DeepTraining:
    """One training of the deep network, resumable from its folder: ``deep.safetensors`` and ``deep.json``."""

    def __init__(
        self, network: DeepNetwork, settings: DeepSettings, folder: Path, seed: int, device: torch.device
    ) -> None:
        self.network = network.to(device).train()
        for module in self.network.modules():
            if isinstance(module, nn.Dropout):
                module.p = settings.dropout
        self._average = AveragedModel(self.network, avg_fn=partial(_moving_average, settings.averaging))
        self.settings = settings
        self.folder = folder
        self.seed = seed
        self.device = device
        self._bf16 = _knows_bf16(device)
        self.step = self.epoch = 0
        self._drops = torch.Generator().manual_seed(seed)
        self._batches = 1  # in the current epoch
        self.seconds = 0.0
        head = [*network.hidden.parameters(), *network.out.parameters()]
        groups = [
            {"params": list(network.layers.parameters()), "base": settings.learning_rate},
            {"params": head, "base": settings.head_learning_rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-4, weight_decay=settings.weight_decay, fused=True)

    @property
    def averaged(self) -> DeepNetwork:
        """The network that comes out: the average of the steps."""
        return cast(DeepNetwork, self._average.module)

    def run(self, data: DeepData, on_progress: Callable[[dict[str, float]], None]) -> None:
        """Train to the end of the schedule, a checkpoint every now and then and one at the end."""
        labels = torch.from_numpy(bins.soft_labels(data.log_prices, self.settings.label_width).astype(np.float32))
        weights = torch.from_numpy((data.weights / data.weights.mean()).astype(np.float32))
        began = saved = time.monotonic() - self.seconds
        while self._progress() < 1.0:
            for number, rows in enumerate(self._epoch(data)):
                self.seconds = time.monotonic() - began
                if self._progress(number) >= 1.0:
                    break
                loss = self._train(data.states.batch(rows, self.device), labels[rows], weights[rows], number)
                if self.step % 100 == 0:
                    on_progress({"step": self.step, "epoch": self.epoch, "loss": loss, "seconds": self.seconds})
                if time.monotonic() - saved > self.settings.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
            self.epoch += 1
        self.save()

    def _epoch(self, data: DeepData) -> list[npt.NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        chosen = np.flatnonzero(rng.random(len(data.odds)) < data.odds)
        groups = same_length_batches(data.states.lengths()[chosen], 0, rng, self.settings.batch)
        self._batches = max(1, len(groups))
        return [chosen[group] for group in groups]

    def _progress(self, number: int = 0) -> float:
        if self.settings.minutes is not None:
            return self.seconds / (60 * self.settings.minutes)
        return (self.epoch + number / self._batches) / self.settings.epochs

    def _train(self, states: Tensor, labels: Tensor, weights: Tensor, number: int) -> float:
        rate = min(1.0, (self.step + 1) / WARM_UP) * min(1.0, max(0.01, (1 - self._progress(number)) / FALL))
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * rate
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
            logits = self.network(self._some_pieces(states)).float()
        entropy = -(labels.to(self.device) * torch.log_softmax(logits, dim=-1)).sum(-1)
        # Divided by the full batch, so that a small remainder of a rare length takes a small step.
        loss = (entropy * weights.to(self.device)).sum() / self.settings.batch
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self._average.update_parameters(self.network)
        self.step += 1
        return float(entropy.detach().mean())

    def _some_pieces(self, states: Tensor) -> Tensor:
        """The states without a random share of the word pieces, the same ones for the whole batch, never the first."""
        length = states.shape[1]
        share = self.settings.token_dropout * torch.rand(1, generator=self._drops)
        kept = torch.rand(length, generator=self._drops) >= share
        kept[0] = True
        return states if bool(kept.all()) else states[:, kept.to(states.device)]

    def predict(self, states: States) -> npt.NDArray[np.float32]:
        """Bin probabilities of each text by the averaged network."""
        lengths = states.lengths()
        result = np.zeros((len(lengths), bins.COUNT), np.float32)
        self._average.eval()
        with torch.no_grad():
            for rows in same_length_batches(lengths, STATES_BATCH, None):
                logits = self._average(states.batch(rows, self.device))
                result[rows] = torch.softmax(logits, dim=-1).cpu().numpy()
        return result

    def save(self) -> None:
        """Write weights, the optimizer's moments and the position; each file replaces its forerunner whole."""
        tensors = {f"network.{name}": value.contiguous() for name, value in self.network.state_dict().items()}
        tensors |= {f"averaged.{name}": value.contiguous() for name, value in self._average.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{key}": value.contiguous() for key, value in state.items()}
        position = {"step": self.step, "epoch": self.epoch, "seconds": self.seconds, "seed": self.seed}
        safetensors.save_file(tensors, self.folder / "deep.tmp", metadata={"position": json.dumps(position)})
        (self.folder / "deep.tmp").replace(self.folder / "deep.safetensors")
        _log.info("checkpoint", **position)

    def resume(self) -> bool:
        """Go on from the folder's checkpoint, at the start of the epoch it was in; false where there is none.

        Raises ``TrainingError`` for a checkpoint of another network or of an earlier version.
        """
        path = self.folder / "deep.safetensors"
        if not path.exists():
            return False
        tensors = safetensors.load_file(path)
        try:
            self.network.load_state_dict(_under("network.", tensors))
            self._average.load_state_dict(_under("averaged.", tensors))
        except RuntimeError as error:  # tensors are missing or have other shapes
            raise TrainingError(f"{path} is no checkpoint of this training; train without --resume") from error
        state: dict[int, dict[str, Tensor]] = defaultdict(dict)
        for name, value in _under("optimizer.", tensors).items():
            index, key = name.split(".", 1)
            state[int(index)][key] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": dict(state), "param_groups": groups})
        self._place(checkpoint_position(path))
        return True

    def _place(self, position: dict[str, float]) -> None:
        self.step, self.epoch = int(position["step"]), int(position["epoch"])
        self.seconds = float(position["seconds"])


def _knows_bf16(device: torch.device) -> bool:
    """Whether products in bf16 take less time than in fp32 here: without the instructions they take longer."""
    return device.type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)


def _moving_average(averaging: float, average: Tensor, value: Tensor, count: Tensor) -> Tensor:
    """The average with one value more; of the first ``count`` steps each counts about alike."""
    return average.lerp(value, 1 - min(averaging, (1 + float(count)) / (10 + float(count))))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def checkpoint_position(path: Path) -> dict[str, float]:
    """Where a checkpoint was written: step, epoch, seconds of training, seed."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        position: dict[str, float] = json.loads(file.metadata()["position"])
    return position
