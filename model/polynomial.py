"""Reads Pyomo expressions as linear forms in the variables with polynomials of mutable Params as coefficients.

Pyomo's own compilers evaluate mutable Params. Here they stay symbols, so that the template knows how each of
them moves every coefficient, bound and right-hand side, and nobody has to keep a list of positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyomo.core.expr import numeric_expr as ne
from pyomo.core.expr.numvalue import native_numeric_types

from model.errors import TemplateError

Monomial = tuple[int, ...]  # sorted positions of Params, with repetition; () is the constant
Polynomial = dict[Monomial, float]
CONSTANT: Monomial = ()
INTERCEPT = -1  # key of the part of a linear form that multiplies no variable


@dataclass
class Linear:
    """A linear form: position of a variable (or INTERCEPT) -> polynomial of Params."""

    terms: dict[int, Polynomial] = field(default_factory=dict)

    def add(self, other: Linear, sign: float = 1.0) -> Linear:
        """Add ``sign * other`` in place."""
        for variable, polynomial in other.terms.items():
            target = self.terms.setdefault(variable, {})
            for monomial, coefficient in polynomial.items():
                target[monomial] = target.get(monomial, 0.0) + sign * coefficient
        return self

    def split(self) -> tuple[Polynomial, dict[int, Polynomial]]:
        """Return the intercept and the terms that multiply a variable."""
        return self.terms.get(INTERCEPT, {}), {v: p for v, p in self.terms.items() if v != INTERCEPT}

    def is_free_of_variables(self) -> bool:
        """Tell whether only Params and numbers occur."""
        return all(v == INTERCEPT for v in self.terms)


def multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    """Product of two polynomials of Params."""
    product: Polynomial = {}
    for m1, c1 in left.items():
        for m2, c2 in right.items():
            monomial = tuple(sorted(m1 + m2))
            product[monomial] = product.get(monomial, 0.0) + c1 * c2
    return product


class Reader:
    """Turns expressions into linear forms; numbers variables by position and Params by first use.

    Parameters
    ----------
    columns : dict
        ``id`` of a variable -> its column.
    """

    def __init__(self, columns: dict[int, int]) -> None:
        self.columns = columns
        self.parameters: dict[int, int] = {}
        self.parameter_data: list[Any] = []

    def read(self, node: Any, where: str) -> Linear:
        """Read ``node``; ``where`` names the constraint, bound or objective in messages."""
        if node.__class__ in native_numeric_types:
            return Linear({INTERCEPT: {CONSTANT: float(node)}})
        if node.is_expression_type():
            return self._expression(node, where)
        if node.is_variable_type():
            if node.fixed:
                raise TemplateError(f"{where}: variable {node.name!r} is fixed; fix it by mutable bounds instead")
            return Linear({self.columns[id(node)]: {CONSTANT: 1.0}})
        if node.is_parameter_type():
            component = node.parent_component()
            if not component.mutable:
                return Linear({INTERCEPT: {CONSTANT: float(node.value)}})
            return Linear({INTERCEPT: {(self._position(node),): 1.0}})
        raise TemplateError(f"{where}: {node} ({type(node).__name__}) is neither number, Param nor Var")

    def _position(self, parameter: Any) -> int:
        position = self.parameters.setdefault(id(parameter), len(self.parameters))
        if position == len(self.parameter_data):
            self.parameter_data.append(parameter)
        return position

    def _expression(self, node: Any, where: str) -> Linear:
        if node.is_named_expression_type():
            return self.read(node.expr, where)
        if isinstance(node, ne.SumExpression):
            total = Linear()
            for term in node.args:
                total.add(self.read(term, where))
            return total
        if isinstance(node, ne.NegationExpression):
            return Linear().add(self.read(node.arg(0), where), -1.0)
        if isinstance(node, ne.ProductExpression):
            return self._product(self.read(node.arg(0), where), self.read(node.arg(1), where), node, where)
        if isinstance(node, ne.DivisionExpression):
            return self._quotient(node, where)
        if isinstance(node, ne.PowExpression):
            return self._power(node, where)
        raise self._refusal(node, where)

    def _product(self, left: Linear, right: Linear, node: Any, where: str) -> Linear:
        if not left.is_free_of_variables():
            left, right = right, left
        if not left.is_free_of_variables():
            raise TemplateError(f"{where}: {node} multiplies two variables; the template carries linear models only")
        factor = left.terms.get(INTERCEPT, {})
        return Linear({v: multiply(factor, p) for v, p in right.terms.items()})

    def _quotient(self, node: Any, where: str) -> Linear:
        denominator = self.read(node.arg(1), where)
        constant = denominator.terms.get(INTERCEPT, {})
        if not denominator.is_free_of_variables() or set(constant) != {CONSTANT}:
            raise self._refusal(node.arg(1), where, "divides; give its inverse as a Param of its own")
        return Linear().add(self.read(node.arg(0), where), 1.0 / constant[CONSTANT])

    def _power(self, node: Any, where: str) -> Linear:
        base, exponent = self.read(node.arg(0), where), node.arg(1)
        if exponent.__class__ not in native_numeric_types or exponent != int(exponent) or exponent < 0:
            raise self._refusal(node, where, "is raised to a power that is no whole number")
        if not base.is_free_of_variables():
            raise TemplateError(f"{where}: {node} is not linear in the variables")
        result: Polynomial = {CONSTANT: 1.0}
        for _ in range(int(exponent)):
            result = multiply(result, base.terms.get(INTERCEPT, {}))
        return Linear({INTERCEPT: result})

    def _refusal(self, node: Any, where: str, why: str | None = None) -> TemplateError:
        names = sorted({p.name for p in _mutable_parameters(node)}) or [str(node)]
        how = why or f"enters through {type(node).__name__}; compute that beforehand and give it as a Param of its own"
        return TemplateError(f"{where}: parameter {', '.join(names)} {how}")


def _mutable_parameters(node: Any) -> Iterator[Any]:
    if node.__class__ in native_numeric_types:
        return
    if node.is_expression_type():
        for argument in node.args:
            yield from _mutable_parameters(argument)
    elif node.is_parameter_type() and node.parent_component().mutable:
        yield node
