"""Put a finished model into `assets/models/` with its card. The figures come from `assets/results/`, never from here."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson
import torch

from tts_explorer.assets import folder
from tts_explorer.models import parameters
from tts_explorer.train.fit import record_in
from tts_explorer.train.rollouts import PER_PROBLEM

FILES = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
WEIGHTS = "model*"
"""One file, or shards and their index."""

CONTINUED = "trained further from weights published before; mix, rate and seed of each run stand in `tts_explorer/train/LOG.md`"
SOLVES = "A Llama-style decoder that writes a solution step by step, one step a paragraph, the answer in `\\boxed{}`."
SKILLS = (
    " After `<|verify|>` it writes a check of a solution that ends in yes or no, after `<|feedback|>…<|revise|>` another one."
)
RIGHT = "Right solutions of problems of the train split, generated without end from a seed."
ATTEMPTS = " Attempts too, with a check by the program or with a right solution after feedback."
SHARES = (
    "the share of right answers among all samples of its problem that begin with the same steps (Math-Shepherd's soft estimate)"
)
PROGRAM = "the program's word on it: whether all so far is valid and a right answer can still be reached"
JUDGES = "A process reward model: two labels, wrong and right, read at the last token of each step (the format of TRL's PRM)."
HEAD = "| family, level | policy, verifier | strategy | accuracy | 95% | problems × seeds | MFLOPs a search |"


def publish(name: str, work: Path) -> Path:
    """Copy `work/NAME` to the assets, and write its card and its record."""
    config = orjson.loads((work / name / "config.json").read_bytes())
    kind = "prm" if "TokenClassification" in config["architectures"][0] else "policy"
    target = folder() / "models" / name
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob(WEIGHTS):
        old.unlink()
    for file in (*(work / name / file for file in FILES), *(work / name).glob(WEIGHTS)):
        if file.is_file():
            shutil.copyfile(file, target / file.name)
    training = record_in(work / name)
    if not training:
        step = torch.load(work / f"{name}.pt", map_location="cpu", weights_only=True)["step"]
        training = {"steps": step, "tokens": step * 8192}
    (target / "training.json").write_bytes(orjson.dumps(training, option=orjson.OPT_INDENT_2) + b"\n")
    (target / "README.md").write_text(card(name, kind, training, facts(target, config, training)), encoding="utf-8")
    return target


def facts(model: Path, config: dict[str, Any], training: dict[str, Any]) -> dict[str, str]:
    """The lines of the card's table: what it is made of, and what it was made from."""
    shape = f"{config['num_hidden_layers']} layers of width {config['hidden_size']}, {config['num_attention_heads']} heads"
    steps = training["steps"]
    since = f" from the weights of {training['start']}" if "start" in training else ""
    if training.get("last", steps) < steps:
        since = f" in all (the last {training['last']:,}{since})"
    known = {
        "parameters": f"{parameters(model):,}",
        "shape": f"{shape}, {config['vocab_size']} tokens, context {config['max_position_embeddings']}",
        "training": f"{steps:,} steps{since}, {training['tokens'] / 1e6:.1f} million tokens (padding counted)",
    }
    if "loss" in training:
        known["training"] += f", loss {training['loss']:.3f} nats a token at the end"
    if "rollouts" in training:
        known["rollouts"] = f"{training['rollouts']:,} of {training['rollouts'] // PER_PROBLEM:,} problems, {PER_PROBLEM} each"
    if "note" in training or "start" in training:
        known["note"] = training.get("note", CONTINUED)
    return known


def card(name: str, kind: str, training: dict[str, Any], table: dict[str, str]) -> str:
    """The model card, as Markdown with the hub's front matter."""
    what, data, limits = about(kind, training)
    pipeline = "token-classification" if kind == "prm" else "text-generation"
    head = f"---\nlicense: apache-2.0\nlibrary_name: transformers\npipeline_tag: {pipeline}\ntags: [tts-explorer]\n---\n\n"
    rows = "\n".join(f"| {key} | {value} |" for key, value in table.items())
    return (
        f"{head}# {name}\n\n{what}\n\n| | |\n|---|---|\n{rows}\n\n## Data\n\n{data} Train, validation and test are disjoint by a "
        f"hash of the problem's numbers.\n\n## Figures\n\n{figures(name, kind)}\n\n## Limits\n\n{limits}\n"
    )


def about(kind: str, training: dict[str, Any]) -> tuple[str, str, str]:
    """What a model is, what it learnt from and what it can't do, by its record."""
    if kind == "prm":
        program = training.get("labels") == "program"
        of = " and ".join(f"`bundled:{name}`" for name in training.get("of", ["small"]))
        return (
            JUDGES,
            f"Solutions sampled from {of} at temperature 1 on problems of the train split; a step's label is "
            f"{PROGRAM if program else SHARES}.",
            f"It was taught by what {of} writes: of what others write it may judge worse.",
        )
    tasks = training.get("tasks", ["arithmetic", "countdown"])
    count = "one family" if len(tasks) == 1 else f"{len(tasks)} families"
    skilled = bool(training.get("skills"))
    return (
        SOLVES + (SKILLS if skilled else ""),
        f"{RIGHT}{ATTEMPTS if skilled else ''} Loss on what it has to write only.",
        f"It knows {count} of problems ({', '.join(tasks)}) in their own wordings and nothing else: no other language, no chat.",
    )


def figures(name: str, kind: str) -> str:
    """The model's held-out figures in `assets/results/` as Markdown."""
    results = folder() / "results"
    lines = _ladder(results / "ladder.json", f"bundled:{name}", "verifier" if kind == "prm" else "policy")
    lines += _areas(results / "auc.json", name) if kind == "prm" else _skills(results, f"bundled:{name}")
    return "\n".join(lines).strip() or "None are measured with these weights yet."


def _ladder(file: Path, name: str, role: str) -> list[str]:
    """The model's rows of the ladder's evidence."""
    cells = [cell for cell in (_read(file) or {"cells": []})["cells"] if cell[role] == name]
    if not cells:
        return []
    told = "\n`tts-explorer bench ladder`: test split, temperature 1 (greedy 0), FLOPs of both models."
    return [HEAD, "|---" * 7 + "|", *map(_line, cells), told]


def _line(cell: dict[str, Any]) -> str:
    share, low, high = (f"{100 * cell[key]:.1f}" for key in ("accuracy", "low", "high"))
    models = ", ".join(name.removeprefix("bundled:") for name in (cell["policy"], cell["verifier"]) if name)
    how = " ".join([cell["strategy"], *(f"{key}={value}" for key, value in cell["settings"].items() if key != "max_depth")])
    counts = f"{cell['problems']} × {cell['seeds']} | {cell['flops'] / 1e6:,.0f}"
    return f"| {cell['task']}, {cell['level']} | {models} | {how} | {share}% | {low} – {high} | {counts} |"


def _areas(file: Path, name: str) -> list[str]:
    """A sentence on a verifier's ranking and calibration for each policy and family."""
    lines = []
    for found in _read(file):
        if found["verifier"] != name or found["program"] is None:
            continue
        through, taught = found["waved_through"], "taught it" if found["taught_by_it"] else "did not teach it"
        waved = "" if through is None else f"; {100 * through:.1f}% of {found['wrong_answers']:,} wrong answers score above 0.8"
        lines.append(
            f"\nOn {found['steps']:,} held-out steps of `bundled:{found['policy']}` (whose rollouts {taught}), {found['task']} "
            f"level {found['level']}, its step-level AUC is {found['program']:.3f} against the program, and its scores miss the "
            f"rollouts' mean grade by {found['calibration']['gap']:.3f} on average{waved} "
            "(`python -m tts_explorer.train.evaluate auc`)."
        )
    return lines


def _skills(results: Path, policy: str) -> list[str]:
    """A sentence on written verdicts for each task, and one on revisions for each task and kind of feedback."""
    lines = []
    for found in _of(results / "verification.json", policy):
        one, mean = (f"{100 * found[name]['balanced']:.1f}%" for name in ("one", "mean"))
        spans = [f"{100 * found[name]['low']:.1f} – {100 * found[name]['high']:.1f}" for name in ("one", "mean")]
        lines.append(
            f"\nWritten verdicts of `{found['policy']}` on {found['solutions']} of its own solutions ({found['right']} right) of "
            f"{found['task']} level {found['level']} (`python -m tts_explorer.train.evaluate verdicts`): balanced accuracy {one} "
            f"({spans[0]}) for one, {mean} ({spans[1]}) for the mean of {found['votes']}; {found['missing']} came to "
            f"neither. A verdict has {found['ratio']:.2f} times the tokens of a solution (λ)."
        )
    table = _of(results / "refinement.json", policy)
    for key in dict.fromkeys((row["task"], row["level"], row["feedback"]) for row in table):
        rows = [row for row in table if (row["task"], row["level"], row["feedback"]) == key]
        shares = ", ".join(
            f"{100 * row['correct'] / row['total']:.1f}% ({100 * row['low']:.1f} – {100 * row['high']:.1f})" for row in rows
        )
        lines.append(
            f"\nSequential refinement on {key[0]} level {key[1]} with feedback by `{key[2]}`, {rows[0]['total']} searches, right "
            f"after 0 to {rows[-1]['round']} revisions (`python -m tts_explorer.train.evaluate refinement "
            f"--task {key[0]}`): {shares}."
        )
    return lines


def _of(file: Path, policy: str) -> list[dict[str, Any]]:
    return [found for found in _read(file) if found["policy"] == policy]


def _read(file: Path) -> Any:
    return orjson.loads(file.read_bytes()) if file.is_file() else []
