"""Say what a design can do less well than it seems to: notes for the reader of a plan, none of them a fault."""

from collections.abc import Mapping

from sampling.categories import Fixed
from sampling.copula import DependenceSpec
from sampling.designs import RANDOM_KINDS, DesignSpec
from sampling.draws import NONE, NOTHING
from sampling.marginals import Marginal


def design_notes(
    marginals: Mapping[str, Marginal],
    design: DesignSpec,
    *,
    fixed: Mapping[str, float | str] = NOTHING,
    dependence: DependenceSpec = NONE,
) -> tuple[str, ...]:
    """Return one sentence for each such thing, in a fixed order."""
    return (*_balance(design), *_correlated(marginals, design, fixed, dependence))


def _balance(design: DesignSpec) -> list[str]:
    draws, count = design.draws or 0, design.replicates
    if design.kind not in RANDOM_KINDS or design.kind == "monte_carlo":
        return []
    notes = []
    if draws % count:
        near = max(1, round(draws / count)) * count
        notes.append(
            f"{draws} draws are no multiple of {count} replicates, which so differ by one point: {near} draws are"
        )
    if design.optimization == "lloyd":
        notes.append("lloyd moves the points out of their slices: far apart, but a mean over them may be biased")
    each = -(-draws // count)
    if design.kind == "sobol" and each & (each - 1):
        lower = 1 << (each.bit_length() - 1)
        notes.append(
            f"{each} Sobol points{' in each replicate' if count > 1 else ''} are no power of two, so they fill the cube "
            f"unevenly: {lower * count} or {2 * lower * count} draws do better"
        )
    return notes


def _correlated(
    marginals: Mapping[str, Marginal], design: DesignSpec, fixed: Mapping[str, float | str], dependence: DependenceSpec
) -> list[str]:
    if design.kind not in ("one_at_a_time", "morris", "saltelli", "factorial"):
        return []
    free = {name for name, one in marginals.items() if name not in fixed and not isinstance(one, Fixed)}
    pairs = [(parent, name) for name, one in marginals.items() for parent in one.correlation]
    pairs += [(a, b) for a, b, rho in dependence.pairs() if rho != 0]
    moved = set(design.levels) if isinstance(design.levels, dict) else free
    told = [f"{a} and {b}" for a, b in pairs if {a, b} <= free and {a, b} & moved]
    if not told:
        return []
    return [
        f"a {design.kind} design moves each parameter by itself, but {', '.join(told)} are correlated: an effect of the "
        "earlier one includes what it moves in the other"
    ]
