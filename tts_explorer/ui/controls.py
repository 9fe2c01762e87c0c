"""The controls beside the view: what to search for, with which models, by which strategy, at what price.

They are made from the strategies' own keyword arguments and from the task list, so a new strategy or task needs no change
here. This module reads names and ranges only; it starts nothing.
"""

from __future__ import annotations

import inspect
import secrets
from dataclasses import dataclass
from typing import Any

import gradio as gr

from tts_explorer.models import POLICY_AS_JUDGE, bundled_policies, verifiers
from tts_explorer.moves import Choice, Setting
from tts_explorer.runner import Ask
from tts_explorer.strategies import needs_words, scores, settings_of, strategy_named, strategy_names, title_of
from tts_explorer.tasks import task_named, task_names
from tts_explorer.tasks.base import LEVELS, problem_at

DEFAULT_VERIFIER = "bundled:prm"
INDICES = 500
"""Another one is drawn from the first so many test problems."""
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Controls:
    """The components, in the order in which `ask` takes their values."""

    start: gr.Button
    stop: gr.Button
    problem: gr.Textbox
    chosen: gr.State
    policy: gr.Dropdown
    verifier: gr.Dropdown
    strategy: gr.Dropdown
    temperature: gr.Slider
    seed: gr.Number
    tokens: gr.Number
    settings: dict[str, gr.Slider | gr.Radio]

    @property
    def inputs(self) -> list[Any]:
        head = [self.problem, self.chosen, self.policy, self.verifier, self.strategy]
        return [*head, self.temperature, self.seed, self.tokens, *self.settings.values()]


def all_settings() -> dict[str, tuple[Setting | Choice, Any]]:
    """Every strategy's settings by name; strategies that share a name share the control."""
    found: dict[str, tuple[Setting | Choice, Any]] = {}
    for name in strategy_names():
        found |= {key: value for key, value in settings_of(strategy_named(name)).items() if key not in found}
    return found


def draw(task: str, level: int, index: int) -> tuple[str, dict[str, Any]]:
    """The text of a problem, and where it came from."""
    problem = problem_at(task_named(task), "test", level, index)
    return problem.text, {"task": task, "level": level, "index": index, "text": problem.text}


def build(open_models: bool = True) -> Controls:
    """Lay the controls out; without `open_models` only the bundled ones can be chosen."""
    text, chosen = draw("countdown", 3, 0)
    state = gr.State(chosen)
    choices = [(task_named(name).TITLE.split(":")[0], name) for name in task_names()]
    task = gr.Dropdown(choices, value="countdown", label="Task", elem_id="task")
    level = gr.Slider(LEVELS[0], LEVELS[-1], value=3, step=1, label="Level, 5 is hardest", elem_id="level")
    problem = gr.Textbox(
        text, label="Problem", info="Change the numbers, or type your own.", lines=3, max_lines=8, elem_id="problem"
    )
    another = gr.Button("Another one", size="sm", elem_id="another")
    with gr.Row():
        start = gr.Button("Start search", variant="primary", elem_id="start")
        stop = gr.Button("Stop", elem_id="stop")
    policy = gr.Dropdown(
        bundled_policies(), value="bundled:small", label="Policy", info="The model that writes.", allow_custom_value=open_models
    )
    verifier = gr.Dropdown(
        verifiers(), value=DEFAULT_VERIFIER, label="Verifier", info="A model, the policy itself in words, or a program.",
        allow_custom_value=open_models, elem_id="verifier",
    )  # fmt: skip
    named = [(title_of(strategy_named(name)), name) for name in strategy_names()]
    strategy = gr.Dropdown(named, value="beam_search", label="Strategy", info=sentence("beam_search"), elem_id="strategy")
    sliders = settings_controls("beam_search")
    with gr.Accordion("Sampling and budget", open=False):
        temperature = gr.Slider(0, 2, value=1.0, step=0.1, label="temperature", info="0 always takes the likeliest token.")
        seed = gr.Number(
            0, label="seed", precision=0, minimum=0, maximum=LARGEST_SEED, info="The same seed searches the same way."
        )
        tokens = gr.Number(None, label="token budget", precision=0, minimum=1, info="Empty: no limit.")
    another.click(lambda name, at: draw(name, int(at), secrets.randbelow(INDICES)), [task, level], [problem, state], queue=False)
    for control in (task, level):
        control.input(
            lambda name, at: draw(name, int(at), 0), [task, level], [problem, state], queue=False, show_progress="hidden"
        )
    strategy.change(
        lambda name, judge: changed(name, judge, list(sliders)), [strategy, verifier], [strategy, verifier, *sliders.values()],
        queue=False, show_progress="hidden",
    )  # fmt: skip
    return Controls(start, stop, problem, state, policy, verifier, strategy, temperature, seed, tokens, sliders)


def settings_controls(strategy: str) -> dict[str, gr.Slider | gr.Radio]:
    """A slider, or a choice of words, for every setting that some strategy has; those of `strategy` are shown."""
    shown = settings_of(strategy_named(strategy))
    found: dict[str, gr.Slider | gr.Radio] = {}
    for name, (setting, default) in (all_settings() | shown).items():
        about = {"label": name, "info": setting.effect, "visible": name in shown, "elem_id": f"setting-{name}"}
        if isinstance(setting, Choice):
            found[name] = gr.Radio(list(setting.options), value=default, **about)
        else:
            found[name] = gr.Slider(setting.low, min(setting.high, 64), value=default, step=setting.step, **about)
    return found


def sentence(strategy: str) -> str:
    """The first line of a strategy's docstring."""
    return (inspect.getdoc(strategy_named(strategy)) or "").split("\n")[0]


def changed(name: str, verifier: str, sliders: list[str]) -> list[Any]:
    """Show the settings that the strategy has, and the verifier if it asks one: one that writes for a strategy of words."""
    if name not in strategy_names():
        return [gr.skip()] * (2 + len(sliders))
    strategy = strategy_named(name)
    has, words = settings_of(strategy), needs_words(strategy, {})
    chosen = {"value": POLICY_AS_JUDGE if words else DEFAULT_VERIFIER} if words != (verifier == POLICY_AS_JUDGE) else {}
    return [
        gr.update(info=sentence(name)),
        gr.update(visible=scores(strategy) or "feedback" in has, **chosen),
        *(
            gr.update(visible=True, info=has[slider][0].effect) if slider in has else gr.update(visible=False)
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
