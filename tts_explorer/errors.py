"""Everything that can go wrong, as a tree.

TTSExplorerError
├── UserError            the person can act on it: one clear sentence, no traceback
│   ├── BadSetting       a value out of its range, before anything is spent
│   ├── UnknownName      no strategy, task, model or session of that name
│   ├── BadProblem       a problem that can't be posed to the chosen model
│   ├── BadSession       an export or a database that can't be read
│   └── ModelUnavailable a model that can't be loaded, or has gone
└── StrategyError        a strategy broke the rules of moves
    ├── NotScored        it ranked a node that it never asked the verifier about
    └── BadMove          it asked for something that can't be done
"""


class TTSExplorerError(Exception):
    """Anything this package raises on purpose."""


class UserError(TTSExplorerError):
    """What happened, the value, and what to do, in one sentence.

    `sentence` is English with names in braces, as `str.format` has them, and `values` what stands for them, so that it can be
    said in another language (`tongue`); a value may be an error itself. Without values it is taken as it is, braces and all.
    """

    def __init__(self, sentence: str = "", /, **values: object):
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence, self.values = sentence, values


class BadSetting(UserError):
    """A setting is out of its range; raised before anything is spent."""


class UnknownName(UserError):
    """Nothing is known under that name."""


class BadProblem(UserError):
    """The problem can't be posed to this model."""


class BadSession(UserError):
    """A session, an export or a database can't be read."""


class ModelUnavailable(UserError):
    """A model can't be loaded, or is gone."""


class StrategyError(TTSExplorerError):
    """A strategy broke the rules of moves."""


class NotScored(StrategyError):
    """A strategy ranked a node that it never asked the verifier about."""


class BadMove(StrategyError):
    """A strategy asked for something that can't be done."""
