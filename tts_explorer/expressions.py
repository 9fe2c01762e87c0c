"""Plain arithmetic as people write it: read, evaluate exactly, bring to a normal form. No names, no powers, no calls."""

from __future__ import annotations

import ast
import re
from fractions import Fraction


def read_expression(text: str) -> ast.expr:
    """The syntax tree of `text`. Raises SyntaxError or ValueError if it is not plain arithmetic."""
    if len(text) > 200 or not re.fullmatch(r"[\d\s+\-*/()×÷·]*", text):
        raise ValueError("not plain arithmetic")
    plain = text.replace("×", "*").replace("·", "*").replace("÷", "/")
    if re.search(r"\*\s*\*|/\s*/", plain):
        raise ValueError("only + - * / are allowed")
    return ast.parse(plain.strip(), mode="eval").body


OPS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def _terms(node: ast.expr, up: type[ast.operator], down: type[ast.operator], sign: bool) -> list[tuple[bool, str]]:
    """The operands of a chain of one precedence, each with whether it is added (multiplied) or not."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (up, down)):
        right = sign if isinstance(node.op, up) else not sign
        return _terms(node.left, up, down, sign) + _terms(node.right, up, down, right)
    return [(sign, normal_form(node))]


def normal_form(node: ast.expr) -> str:
    """Sums and products flattened and sorted. Raises ValueError for anything but whole numbers and + - * /."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return str(node.value)
    for ops, signs in (((ast.Add, ast.Sub), "+-"), ((ast.Mult, ast.Div), "*/")):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ops):
            terms = sorted(_terms(node, *ops, True), key=lambda t: (not t[0], t[1]))
            return "(" + " ".join(signs[not up] + text for up, text in terms) + ")"
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
