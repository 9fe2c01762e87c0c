"""Plain arithmetic as people write it: read, evaluate exactly, bring to a normal form, and what numbers can be made into.

No names, no powers, no calls.
"""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from functools import lru_cache
from itertools import combinations


def read_expression(text: str) -> ast.expr:
    """The syntax tree of `text`. Raises SyntaxError or ValueError if it is not plain arithmetic."""
    if len(text) > 200 or not re.fullmatch(r"[\d\s+\-*/()×÷·]*", text):
        raise ValueError("not plain arithmetic")
    plain = text.replace("×", "*").replace("·", "*").replace("÷", "/")
    if re.search(r"\*\s*\*|/\s*/", plain):
        raise ValueError("only + - * / are allowed")
    return ast.parse(plain.strip(), mode="eval").body


OPS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
CHAINS = ((ast.Add, ast.Sub), (ast.Mult, ast.Div))
"""Operators of one precedence: the one that keeps the right side's sign, and the one that turns it."""


def _terms(node: ast.expr, chain: tuple[type[ast.operator], ...], keeps: bool) -> list[tuple[bool, str]]:
    """The operands of a chain of one precedence, each with whether it is added (multiplied) or not."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, chain):
        right = keeps if isinstance(node.op, chain[0]) else not keeps
        return _terms(node.left, chain, keeps) + _terms(node.right, chain, right)
    text = normal_form(node)
    inner = isinstance(node, ast.BinOp) and chain is CHAINS[1]
    return [(keeps, f"({text})" if inner else text)]


def normal_form(node: ast.expr) -> str:
    """The expression with sums and products flattened and sorted, and no parenthesis that isn't needed.

    Raises ValueError for anything but whole numbers and + - * /.

    >>> normal_form(read_expression("(25 - 12) * 7 + (3 + 2)"))
    '(25 - 12) * 7 + 2 + 3'
    """
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return str(node.value)
    for chain in CHAINS:
        if isinstance(node, ast.BinOp) and isinstance(node.op, chain):
            terms = sorted(_terms(node, chain, True), key=lambda term: (not term[0], term[1]))
            signs = [OPS[chain[not keeps]] for keeps, _ in terms]
            return " ".join([terms[0][1], *(f"{sign} {text}" for sign, (_, text) in zip(signs[1:], terms[1:], strict=True))])
    raise ValueError("only whole numbers and + - * / are allowed")


def value_of(node: ast.expr, used: list[int]) -> Fraction:
    """The exact value; the numbers met are added to `used`. Raises ValueError, for division by zero too."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        used.append(node.value)
        return Fraction(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in OPS:
        left, right = value_of(node.left, used), value_of(node.right, used)
        return applied(left, OPS[type(node.op)], right)
    raise ValueError("only whole numbers and + - * / are allowed")


def applied(a: Fraction, op: str, b: Fraction) -> Fraction:
    """`a op b`. Raises ValueError for division by zero."""
    if op == "/":
        if b == 0:
            raise ValueError("division by zero")
        return a / b
    return a + b if op == "+" else a - b if op == "-" else a * b


@lru_cache(maxsize=20_000)
def _values(pool: tuple[int, ...]) -> frozenset[Fraction]:
    """Every number that `pool` (sorted, at most three numbers) can be combined into, fractions allowed."""
    if len(pool) == 1:
        return frozenset({Fraction(pool[0])})
    return frozenset(
        c
        for i in range(len(pool))
        for a in _values((pool[i],))
        for b in _values(pool[:i] + pool[i + 1 :])
        for c in (a + b, a - b, b - a, a * b, *([a / b] if b else []), *([b / a] if a else []))
    )


@lru_cache(maxsize=200_000)
def reachable(pool: tuple[int, ...], target: Fraction | int) -> bool:
    """Whether `pool` (sorted) can be combined into `target`, fractions allowed: the last operation is undone."""
    if len(pool) <= 3:
        return target in _values(pool)
    places = range(len(pool))
    for part in (part for size in range(1, len(pool) // 2 + 1) for part in combinations(places, size)):
        rest = tuple(pool[i] for i in places if i not in part)
        for a in _values(tuple(pool[i] for i in part)):
            wanted = [target - a, a - target, target + a]
            wanted += [target / a, target * a, *([a / target] if target else [])] if a else []
            if (not a and not target) or any(reachable(rest, b) for b in wanted):
                return True
    return False
