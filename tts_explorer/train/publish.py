"""Put a finished model into `assets/models/` with its card. The figures come from `assets/results/`, never from here."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import orjson
import torch
from safetensors import safe_open

from tts_explorer.assets import folder
from tts_explorer.train.fit import record_in
from tts_explorer.train.rollouts import PER_PROBLEM

FILES = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
)

CONTINUED = "trained further from weights published before; mix, rate and seed of each run stand in `tts_explorer/train/LOG.md`"

ABOUT = {
    "policy": (
        "text-generation",
        "A Llama-style decoder that writes a solution step by step, one step a paragraph, the answer in `\\boxed{}`. After "
        "`<|verify|>` it writes a check of a solution that ends in yes or no, after `<|feedback|>…<|revise|>` another solution.",
        "Right solutions of problems of the train split, generated without end from a seed; then, half and half, its own "
        "attempts with a check by the program or with a right solution after feedback. Loss on what it has to write only.",
        "It knows two families of problems in their own wordings and nothing else: no other language, no chat, no facts.",
    ),
    "prm": (
        "token-classification",
        "A process reward model: two labels, wrong and right, read at the last token of each step (the format of TRL's PRM).",
        "Solutions sampled from `bundled:small` at temperature 1 on problems of the train split; a step's label is the share "
        "of right answers among all samples of its problem that begin with the same steps (Math-Shepherd's soft estimate).",
        "It estimates whether `bundled:small` will get there, not whether a step is true; on other policies it is unmeasured.",
    ),
}


def publish(name: str, work: Path) -> Path:
    """Copy `work/NAME` to the assets, and write its card and its record."""
    config = orjson.loads((work / name / "config.json").read_bytes())
    kind = "prm" if "TokenClassification" in config["architectures"][0] else "policy"
    target = folder() / "models" / name
    target.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        if (work / name / file).is_file():
            shutil.copyfile(work / name / file, target / file)
    training = record_in(work / name)
    if not training:
        step = torch.load(work / f"{name}.pt", map_location="cpu", weights_only=True)["step"]
        training = {"steps": step, "tokens": step * 8192}
    (target / "training.json").write_bytes(orjson.dumps(training, option=orjson.OPT_INDENT_2) + b"\n")
    (target / "README.md").write_text(card(name, kind, facts(target, config, training)), encoding="utf-8")
    return target


def facts(model: Path, config: dict[str, Any], training: dict[str, Any]) -> dict[str, str]:
    """The lines of the card's table: what it is made of, and what it was made from."""
    with safe_open(model / "model.safetensors", framework="pt") as weights:
        parameters = sum(math.prod(weights.get_slice(key).get_shape()) for key in weights.keys())
    shape = f"{config['num_hidden_layers']} layers of width {config['hidden_size']}, {config['num_attention_heads']} heads"
    steps = training["steps"]
    since = f" from the weights of {training['start']}" if "start" in training else ""
    if training.get("last", steps) < steps:
        since = f" in all (the last {training['last']:,}{since})"
    known = {
        "parameters": f"{parameters:,}",
        "shape": f"{shape}, {config['vocab_size']} tokens, context {config['max_position_embeddings']}",
        "training": f"{steps:,} steps{since}, {training['tokens'] / 1e6:.1f} million tokens (padding counted)",
    }
    if "rollouts" in training:
        known["rollouts"] = f"{training['rollouts']:,} of {training['rollouts'] // PER_PROBLEM:,} problems, {PER_PROBLEM} each"
    if "note" in training or "start" in training:
        known["note"] = training.get("note", CONTINUED)
    return known


def card(name: str, kind: str, table: dict[str, str]) -> str:
    """The model card, as Markdown with the hub's front matter."""
    pipeline, what, data, limits = ABOUT[kind]
    head = f"---\nlicense: apache-2.0\nlibrary_name: transformers\npipeline_tag: {pipeline}\ntags: [tts-explorer]\n---\n\n"
    rows = "\n".join(f"| {key} | {value} |" for key, value in table.items())
    return (
        f"{head}# {name}\n\n{what}\n\n| | |\n|---|---|\n{rows}\n\n## Data\n\n{data} Train, validation and test are disjoint by a "
        f"hash of the problem's numbers.\n\n## Figures\n\n{figures()}\n\n## Limits\n\n{limits}\n"
    )


def figures() -> str:
    """The held-out figures as Markdown, from `assets/results/accuracy-*.json` and `auc.json`."""
    results = folder() / "results"
    cells = [cell for path in sorted(results.glob("accuracy-*.json"))[::-1] for cell in orjson.loads(path.read_bytes())]
    lines = []
    if cells:
        lines += ["| task, level | strategy | accuracy | 95% | problems × seeds | MFLOPs a search |", "|---|---|---|---|---|---|"]
        lines += [_line(cell) for cell in cells]
        lines.append(
            "\n`python -m tts_explorer.train.evaluate accuracy`: test split, temperature 1 (greedy 0), FLOPs of both models."
        )
    if (results / "auc.json").is_file():
        for found in orjson.loads((results / "auc.json").read_bytes()):
            if found["program"] is None:
                lines.append(
                    f"\nOn {found['task']} level {found['level']} all {found['steps']} steps of the rollouts were right: no AUC."
                )
                continue
            steps = ", ".join(f"{step['auc']:.3f}" for step in found["by_step"])
            lines.append(
                f"\nStep-level AUC of the verifier on {found['task']} level {found['level']} ({found['steps']} steps of held-out "
                f"rollouts, `python -m tts_explorer.train.evaluate auc`): {found['program']:.3f} against the program, "
                f"{found['monte_carlo']:.3f} against Monte-Carlo > 0; step by step {steps}."
            )
    return "\n".join(lines + _skills(results))


def _skills(results: Path) -> list[str]:
    """A sentence on written verdicts for each task, and one on revisions for each task and kind of feedback."""
    lines = []
    for found in _read(results / "verification.json"):
        one, mean = (f"{100 * found[name]['balanced']:.1f}%" for name in ("one", "mean"))
        spans = [f"{100 * found[name]['low']:.1f} – {100 * found[name]['high']:.1f}" for name in ("one", "mean")]
        lines.append(
            f"\nWritten verdicts of `{found['policy']}` on {found['solutions']} of its own solutions ({found['right']} right) of "
            f"{found['task']} level {found['level']} (`python -m tts_explorer.train.evaluate verdicts`): balanced accuracy {one} "
            f"({spans[0]}) for one, {mean} ({spans[1]}) for the mean of {found['votes']}; {found['missing']} came to "
            f"neither. A verdict has {found['ratio']:.2f} times the tokens of a solution (λ)."
        )
    table = _read(results / "refinement.json")
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


def _read(path: Path) -> list[dict[str, Any]]:
    return orjson.loads(path.read_bytes()) if path.is_file() else []


def _line(cell: dict[str, Any]) -> str:
    share, low, high = (f"{100 * value:.1f}" for value in (cell["correct"] / cell["total"], cell["low"], cell["high"]))
    searches = f"{cell['problems']} × {cell['seeds']}"
    return (
        f"| {cell['task']}, {cell['level']} | {cell['strategy']} | {share}% | {low} – {high} | {searches} "
        f"| {cell['flops'] / 1e6:,.0f} |"
    )
