"""The controls beside the view: what to search for, with which models, by which strategy, at what price.

They are made from the strategies' own keyword arguments and from the task list, so a new strategy or task needs no change
here. This module reads names and ranges only; it starts nothing.
"""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from tts_explorer.models import POLICY_AS_JUDGE, bundled_policies, bundled_verifiers, families, stranger, verifiers
from tts_explorer.models.program import PROGRAM
from tts_explorer.moves import Choice, Setting
from tts_explorer.runner import Ask
from tts_explorer.strategies import needs_words, scores, settings_of, strategy_named, strategy_names, title_of
from tts_explorer.tasks import task_named, task_names
from tts_explorer.tasks.base import LEVELS, problem_at
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.ui.prefill import SEED, TEMPERATURE, Offered, Prefill, prefilled
from tts_explorer.ui.words import labelled

DEFAULT_TASK, DEFAULT_LEVEL = "countdown", 3
DEFAULT_POLICY, DEFAULT_VERIFIER, DEFAULT_STRATEGY = "bundled:small", "bundled:prm", "beam_search"
INDICES = 500
"""Another one is drawn from the first so many test problems."""
LARGEST = 64
"""Sliders end here, where the setting doesn't before; a link may ask for more."""

TASK, LEVEL = "Task", "Level, 5 is hardest"
PROBLEM, PROBLEM_INFO = "Problem", "Change the numbers, or type your own."
ANOTHER, START, STOP = "Another one", "Start search", "Stop"
POLICY, POLICY_INFO = "Policy", "The model that writes."
VERIFIER, VERIFIER_INFO = "Verifier", "A model, the policy itself in words, or a program."
STRATEGY, MORE = "Strategy", "Sampling and budget"
TEMPERATURE_LABEL, TEMPERATURE_INFO = "temperature", "0 always takes the likeliest token."
SEED_LABEL, SEED_INFO = "seed", "The same seed searches the same way."
TOKENS_LABEL, TOKENS_INFO = "token budget", "Empty: no limit."
STRANGE = "{policy} was trained on {known} alone: what it writes about {task} problems means little."

QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden"}


@dataclass(frozen=True, slots=True)
class Controls:
    """The components; `inputs` are those whose values `ask` takes, in its order."""

    task: gr.Dropdown
    level: gr.Slider
    warning: gr.Textbox
    """Under the menu of tasks: that the policy doesn't know the chosen one."""
    start: gr.Button
    stop: gr.Button
    estimate: gr.Textbox
    """Under Start: what it would take."""
    problem: gr.Textbox
    chosen: gr.State
    """Where the problem came from, if it was drawn: task, level, index, and its text."""
    policy: gr.Dropdown
    verifier: gr.Dropdown
    strategy: gr.Dropdown
    temperature: gr.Slider
    seed: gr.Number
    tokens: gr.Number
    settings: dict[str, gr.Slider | gr.Radio]
    offered: Offered

    @property
    def inputs(self) -> list[Any]:
        head = [self.problem, self.chosen, self.policy, self.verifier, self.strategy]
        return [*head, self.temperature, self.seed, self.tokens, *self.settings.values()]

    @property
    def filled(self) -> list[Any]:
        """What `fill` has updates for, in its order."""
        return [self.task, self.level, *self.inputs]

    def fill(self, query: Mapping[str, str]) -> list[Any]:
        """Updates with what a link asks for; the other components stay as they are."""
        return updates(prefilled(query, self.offered), list(self.settings))


def all_settings() -> dict[str, tuple[Setting | Choice, Any]]:
    """Every strategy's settings by name; strategies that share a name share the control."""
    found: dict[str, tuple[Setting | Choice, Any]] = {}
    for name in strategy_names():
        found |= {key: value for key, value in settings_of(strategy_named(name)).items() if key not in found}
    return found


def taught_tasks() -> list[str]:
    """The families of problems that some bundled policy was trained on, by their records; all where there is no record."""
    taught = {family for policy in bundled_policies() for family in families(policy)}
    return [name for name in task_names() if name in taught] or task_names()


def strange(policy: str, task: str, say: Tongue = ENGLISH) -> str:
    """That `policy` was never trained on problems of `task`; empty where it was, or nobody knows."""
    if not stranger(policy or "", task):
        return ""
    return say(STRANGE, policy=policy, known=", ".join(families(policy)), task=task)


def suited(task: str, policy: str, verifier: str) -> tuple[str, str]:
    """The policy and the verifier if they know `task`, else bundled ones that do; where no verifier does, the program."""
    knowing = [name for name in bundled_policies() if task in families(name)]
    judging = [*(name for name in bundled_verifiers() if task in families(name)), PROGRAM]
    return (
        knowing[-1] if stranger(policy, task) and knowing else policy,
        judging[0] if stranger(verifier, task) else verifier,
    )


def draw(task: str, level: int, index: int) -> tuple[str, dict[str, Any]]:
    """The text of a problem, and where it came from."""
    problem = problem_at(task_named(task), "test", level, index)
    return problem.text, {"task": task, "level": level, "index": index, "text": problem.text}


def build(open_models: bool = True) -> Controls:
    """Lay the controls out; without `open_models` only the bundled ones can be chosen."""
    offered = Offered(taught_tasks(), bundled_policies(), verifiers(), strategy_names(), open_models)
    first = DEFAULT_TASK if DEFAULT_TASK in offered.tasks else offered.tasks[0]
    text, drawn = draw(first, DEFAULT_LEVEL, 0)
    chosen = gr.State(drawn)
    task = gr.Dropdown([(short_title(name), name) for name in offered.tasks], value=first, label=TASK, elem_id="task")
    warning = gr.HTML("", elem_id="task-warning", apply_default_css=False)
    level = gr.Slider(LEVELS[0], LEVELS[-1], value=DEFAULT_LEVEL, step=1, label=LEVEL, elem_id="level")
    problem = gr.Textbox(text, label=PROBLEM, info=PROBLEM_INFO, lines=3, max_lines=8, elem_id="problem")
    another = gr.Button(ANOTHER, size="sm", elem_id="another")
    with gr.Row():
        start = gr.Button(START, variant="primary", elem_id="start")
        stop = gr.Button(STOP, elem_id="stop")
    estimate = gr.HTML("", elem_id="estimate", apply_default_css=False)
    custom: dict[str, Any] = {"allow_custom_value": open_models}
    policy = gr.Dropdown(offered.policies, value=DEFAULT_POLICY, label=POLICY, info=POLICY_INFO, elem_id="policy", **custom)
    verifier = gr.Dropdown(
        offered.verifiers, value=DEFAULT_VERIFIER, label=VERIFIER, info=VERIFIER_INFO, elem_id="verifier", **custom
    )
    named = [(title_of(strategy_named(name)), name) for name in strategy_names()]
    strategy = gr.Dropdown(named, value=DEFAULT_STRATEGY, label=STRATEGY, info=sentence(DEFAULT_STRATEGY), elem_id="strategy")
    sliders = settings_controls(DEFAULT_STRATEGY)
    sampling = sampling_controls()
    made = Controls(
        task, level, warning, start, stop, estimate, problem, chosen, policy, verifier, strategy, *sampling, sliders, offered
    )
    connect(made, another)
    return made


def short_title(task: str) -> str:
    """What the menu calls a task."""
    return str(task_named(task).TITLE.split(":")[0])


def sampling_controls() -> tuple[gr.Slider, gr.Number, gr.Number]:
    """Temperature, seed and the budget of tokens, out of the way."""
    with gr.Accordion(MORE, open=False):
        temperature = gr.Slider(
            TEMPERATURE.low, TEMPERATURE.high, value=1.0, step=TEMPERATURE.step, label=TEMPERATURE_LABEL, info=TEMPERATURE_INFO
        )
        seed = gr.Number(0, label=SEED_LABEL, precision=0, minimum=0, maximum=int(SEED.high), info=SEED_INFO, elem_id="seed")
        tokens = gr.Number(None, label=TOKENS_LABEL, precision=0, minimum=0, info=TOKENS_INFO, elem_id="tokens")
    return temperature, seed, tokens


def connect(made: Controls, another: gr.Button) -> None:
    """What the controls do to one another."""
    place, sliders = [made.task, made.level], list(made.settings)
    another.click(
        lambda name, at: draw(name, int(at), secrets.randbelow(INDICES)), place, [made.problem, made.chosen], queue=False
    )
    suiting = [made.policy, made.verifier]
    made.task.input(lambda name, policy, verifier: suited(name, policy, verifier), [made.task, *suiting], suiting, **QUIET)
    for control in (made.task, made.level):
        control.input(lambda name, at: draw(name, int(at), 0), place, [made.problem, made.chosen], **QUIET)
    made.strategy.input(
        lambda name, family, judge: changed(name, family, judge, sliders), [made.strategy, made.task, made.verifier],
        [made.strategy, made.verifier, *made.settings.values()], **QUIET,
    )  # fmt: skip


def updates(asked: Prefill, names: list[str]) -> list[Any]:
    """For each of `Controls.filled`, what the link asks for; `names` are those of the settings at its end."""
    chosen, settings = asked.chosen, asked.settings
    found = {name: gr.update(value=value) for name, value in chosen.items()}
    if "verifier" in chosen:
        found["verifier"] = gr.update(value=chosen["verifier"] or None)
    if "strategy" in chosen:
        found["strategy"] = gr.update(value=chosen["strategy"], info=labelled(sentence(chosen["strategy"])))
        given = {"value": chosen["verifier"] or None} if "verifier" in chosen else {}
        found["verifier"] = gr.update(visible=judged(chosen["strategy"]), **given)
    if "task" in chosen:
        place = {name: chosen[name] for name in ("task", "level", "index")}
        found["chosen"] = place | {"text": chosen["problem"]}
    order = ("task", "level", "problem", "chosen", "policy", "verifier", "strategy", "temperature", "seed", "tokens")
    head = [found.get(name, gr.skip()) for name in order]
    if "strategy" not in chosen:
        return [*head, *[gr.skip()] * len(names)]
    return [*head, *(setting_update(chosen["strategy"], name, settings) for name in names)]


def setting_update(strategy: str, name: str, asked: Mapping[str, Any]) -> Any:
    """The control of a setting as a link wants it: hidden where the strategy has none of that name, else at its default."""
    known = settings_of(strategy_named(strategy))
    if name not in known:
        return gr.update(visible=False)
    setting, default = known[name]
    value = asked.get(name, default)
    room = {} if isinstance(setting, Choice) else {"maximum": max(min(setting.high, LARGEST), value)}
    return gr.update(value=value, visible=True, info=labelled(setting.effect), **room)


def settings_controls(strategy: str) -> dict[str, gr.Slider | gr.Radio]:
    """A slider, or a choice of words, for every setting that some strategy has; those of `strategy` are shown."""
    shown = settings_of(strategy_named(strategy))
    found: dict[str, gr.Slider | gr.Radio] = {}
    for name, (setting, default) in (all_settings() | shown).items():
        about = {"label": name, "info": setting.effect, "visible": name in shown, "elem_id": f"setting-{name}"}
        if isinstance(setting, Choice):
            found[name] = gr.Radio(list(setting.options), value=default, **about)
        else:
            found[name] = gr.Slider(setting.low, min(setting.high, LARGEST), value=default, step=setting.step, **about)
    return found


def sentence(strategy: str) -> str:
    """The first line of a strategy's docstring."""
    return (inspect.getdoc(strategy_named(strategy)) or "").split("\n")[0]


def judged(strategy: str) -> bool:
    """Whether a verifier may take part in it."""
    return scores(strategy_named(strategy)) or "feedback" in settings_of(strategy_named(strategy))


def changed(name: str, task: str, verifier: str, sliders: list[str]) -> list[Any]:
    """Show the settings that the strategy has, and the verifier if it asks one: one that writes for a strategy of words.

    A verifier that doesn't write, where another is needed, is one that knows `task`.
    """
    if name not in strategy_names():
        return [gr.skip()] * (2 + len(sliders))
    strategy = strategy_named(name)
    has, words = settings_of(strategy), needs_words(strategy, {})
    usual = POLICY_AS_JUDGE if words else suited(task, DEFAULT_POLICY, DEFAULT_VERIFIER)[1]
    chosen = {"value": usual} if words != (verifier == POLICY_AS_JUDGE) else {}
    return [
        gr.update(info=labelled(sentence(name))),
        gr.update(visible=judged(name), **chosen),
        *(
            gr.update(visible=True, info=labelled(has[slider][0].effect)) if slider in has else gr.update(visible=False)
            for slider in sliders
        ),
    ]


def ask(names: list[str], values: tuple[Any, ...]) -> Ask:
    """What the visitor asks for; `names` are those of the settings at the end of `values`. Ranges are checked later."""
    problem, chosen, policy, verifier, strategy, temperature, seed, tokens, *settings = values
    has = settings_of(strategy_named(str(strategy)))
    given = {name: whole(value) for name, value in zip(names, settings, strict=True) if name in has}
    drawn = isinstance(chosen, dict) and chosen.get("text") == problem
    where = {key: chosen[key] for key in ("task", "level", "index")} if drawn else {"problem": str(problem or "")}
    return Ask(
        policy=str(policy or ""),
        verifier=str(verifier) if verifier else None,
        strategy=str(strategy),
        settings=given,
        seed=int(seed or 0),
        temperature=float(temperature or 0.0),
        budget={"tokens": float(tokens)} if tokens else {},
        **where,
    )


def whole(value: Any) -> Any:
    """16.0 as 16; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
