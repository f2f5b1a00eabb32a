"""What a siting that was decided for all draws is worth: beside other sitings, beside knowing the draw, on fresh draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import combinations

import numpy as np
from scipy import stats

from model import WEATHER_YEAR
from report.estimators import equal_weights
from report.intervals import REPLICATED, mean_interval
from sweep.kept_workers import Workers
from sweep.optimise import BILLION, Record, Session, interval, number
from sweep.robust import Found, Goal, Measure, Space, decompose, different, near_optimal, nested
from sweep.robust.measures import Floats
from sweep.siting_points import Points, solve_asked
from sweep.siting_problem import demand_range, make_problem, problem_of
from sweep.siting_told import LEVEL, against, measures, points_of, sample, scenarios, siting_record
from sweep.theta import Theta

PARTS = 5  # of independent draws that have no replicates
PLANS = 4
USED = 1e-3  # of the load: an area with less counts as without
SETTLED = 0.01  # of the load, between the ends that are proven and those of plans
MEAN = Goal(((1.0, Measure("mean")),))
DECIMALS = 12  # of shares, which sum to 1
CONFIDENCE = 0.95


def record_of(session: Session, found: Found, others: Sequence[int], known: tuple[Floats, Floats] | None) -> Record:
    """Everything that is told of an answer."""
    request = session.request
    record: Record = {
        "measure": " + ".join(f"{w:g} {m}" if w != 1 else str(m) for w, m in request.goal.terms),
        "budgets": {str(each.measure): each.limit for each in request.goal.budgets},
        "draws": len(session.draws),
        "cover": request.cover,
        "scenarios": scenarios(session),
        "free": session.cube.free.name,
        "unit": "billion yen per year",
        "value": found.value,
        "lower_bound": found.bound,
        "gap": found.gap,
        "bounds": {"lower": found.bound, "upper": found.value},
        "budget_excess": found.excess,
        **siting_record(session, found.point),
        "rounds": [{k: number(v) if isinstance(v, float) else v for k, v in asdict(r).items()} for r in found.rounds],
        "evaluations": {"made": found.evaluated, "spared": found.spared},
        "measures": measures(session, session.draws, found.cost),
        "against": against(session, session.draws, found.cost),
        "largest_regret_at_most": None,
        "information": None,
        "stochastic_solution": None,
        "robustness": None,
        "fresh_draws": None,
        "replications": None,
        "near": [],
    }
    is_neutral = request.goal == MEAN
    neutral = found if is_neutral else session.solve(MEAN, "least mean cost") if request.worth else None
    if known is not None:
        record["largest_regret_at_most"] = float((found.cost - known[1]).max())
        if neutral is not None:
            record["information"] = interval(mean_interval(sample(session, session.draws, neutral.cost - known[0])))
    if neutral is not None and request.worth:
        record["stochastic_solution"] = stochastic_solution(session, found, neutral)
        record["robustness"] = None if is_neutral else robustness(session, found, neutral)
    if others:
        record["fresh_draws"] = on_fresh_draws(session, found, others)
    if request.replications:
        record["replications"] = replications(session, found)
    if request.near:
        record["near"] = spaces(session, found)
    return record


def mean_draw(thetas: Sequence[Theta]) -> Theta:
    """The draw of the mean parameters; of names and switches the most frequent."""
    found: Theta = {}
    for name in thetas[0]:
        values = [theta[name] for theta in thetas]
        numbers = [float(value) for value in values if not isinstance(value, str)]
        if name == WEATHER_YEAR or not numbers or set(numbers) <= {0.0, 1.0}:
            kinds, counts = np.unique(np.array(values), return_counts=True)
            most = kinds[int(counts.argmax())]
            found[name] = str(most) if name == WEATHER_YEAR else float(most)
        else:
            found[name] = float(np.mean(numbers))
    return found


def total(session: Session, point: Floats, draws: Sequence[int]) -> Floats:
    """Total cost (draws,) of a siting, solved where it is not known."""
    rows = session.points.evaluate(point, draws)
    cost: Floats = rows[:, 2] + rows[:, 3]
    return cost


def stochastic_solution(session: Session, found: Found, neutral: Found) -> Record:
    """What deciding for all draws saves beside deciding for the mean draw, under the same rules.

    ``vss`` is of mean cost, and of the siting of least mean cost (``neutral``); ``in_goal`` of the goal that was asked for.
    """
    thetas = [session.cube.thetas[draw] for draw in session.draws]
    mean = mean_draw(thetas)
    case = session.cube.case
    problem = problem_of(case, session.cube.free, [mean], demand_range(thetas, session.request.cover))
    with Workers(solve_asked, case, serial=True) as alone:
        points = Points(alone, {0: mean}, session.cube.shape, 1)
        of_mean = decompose(
            problem,
            points.oracle([0]),
            MEAN,
            gap=session.request.gap,
            tell=lambda each: session.tell("mean draw", each),
        )
    cost = total(session, of_mean.point, session.draws)
    saved = cost - neutral.cost
    goal, weights = session.request.goal, equal_weights(len(session.draws))
    return {
        "vss": interval(mean_interval(sample(session, session.draws, saved))),
        "in_goal": goal.of(cost, weights, session.best) - found.value,
        "expected_cost_of_mean_siting": float(cost.mean()),
        **{
            f"mean_siting_{name}": value for name, value in siting_record(session, of_mean.point).items() if name == "x"
        },
        "measures_of_mean_siting": measures(session, session.draws, cost),
    }


def robustness(session: Session, found: Found, neutral: Found) -> Record:
    """What robustness costs: mean cost given up for each unit of CVaR gained, beside the siting of least mean cost."""
    goal = session.request.goal
    level = next((m.level for _, m in goal.terms if m.kind == "cvar" and not m.of_regret), LEVEL)
    tail, weights = Measure("cvar", level), equal_weights(len(session.draws))
    given = float(found.cost.mean() - neutral.cost.mean())
    gained = tail.of(neutral.cost, weights) - tail.of(found.cost, weights)
    return {
        "mean_cost_given_up": interval(mean_interval(sample(session, session.draws, found.cost - neutral.cost))),
        "tail": str(tail),
        "tail_cost_gained": gained,
        "price_of_robustness": given / gained if gained > 0 else None,
        "neutral": {
            **siting_record(session, neutral.point),
            "measures": measures(session, session.draws, neutral.cost),
        },
    }


def on_fresh_draws(session: Session, found: Found, others: Sequence[int]) -> Record:
    """How the siting does on draws that it was not decided for."""
    cost = total(session, found.point, others)
    return {
        "draws": len(others),
        "measures": measures(session, others, cost),
        "mean_above_own": float(cost.mean() - found.cost.mean()),
        "against": against(session, others, cost),
    }


def replications(session: Session, found: Found) -> Record:
    """How far the siting is from the true optimum of the mean, at most, with confidence: multiple replications.

    Mak, Morton and Wood 1999, Operations Research Letters 24: on each of R independent parts of the draws, its mean cost
    less the least mean cost there (its proven bound); Student's t over the parts, one-sided.
    """
    parts, why = independent_parts(session)
    if len(parts) < 2:
        return {"parts": len(parts), "gap": None, "gap_at_most": None, "why": why}
    gaps = []
    for place, own in enumerate(parts):
        draws = [session.draws[n] for n in own]
        problem = make_problem(session.cube, draws, within=session.within)
        part = decompose(
            problem,
            session.points.oracle(draws),
            MEAN,
            gap=session.request.gap,
            cuts=session.cuts.part(own),
            tell=partial(session.tell, f"part {place}"),
        )
        gaps.append(float(found.cost[own].mean()) - part.bound)
    mean, error = float(np.mean(gaps)), float(np.std(gaps, ddof=1)) / np.sqrt(len(gaps))
    most = mean + float(stats.t.ppf(CONFIDENCE, len(gaps) - 1)) * error
    return {"parts": len(parts), "gap": mean, "gap_at_most": most, "confidence": CONFIDENCE, "why": None}


def independent_parts(session: Session) -> tuple[list[np.ndarray], str | None]:
    """Parts of the draws that are independent of each other, and why there are none."""
    of = sample(session, session.draws, np.zeros(len(session.draws)))
    if of.design in REPLICATED:
        labels = np.unique(of.replicate)
        why = "one randomisation of the design; a study with replicates has several"
        return [np.flatnonzero(of.replicate == label) for label in labels], why
    if of.design != "monte_carlo":
        return [], f"{of.design} is no sample of futures"
    place = points_of(session, session.draws) % session.request.replications
    return [np.flatnonzero(place == n) for n in np.unique(place)], "fewer than two parts"


def spaces(session: Session, found: Found) -> list[Record]:
    """The space of good plans for each distance that was asked for; the narrow ones first, as wider ones hold them."""
    asked = session.request.near
    worse = [more if unit == BILLION else more / 100 * abs(found.value) for more, unit in asked]
    directions = _directions(session)
    made: dict[float, Space] = {}
    for more in sorted(set(worse)):
        made[more] = near_optimal(
            session.problem,
            session.points.oracle(session.draws),
            session.request.goal,
            found,
            found.value + more,
            directions,
            gap=session.request.gap,
            groups=session.groups(),
            known=list(made.values()),
            tell=partial(session.tell, f"plans at most {more:.4g} worse"),
        )
    agreed = dict(zip(made, nested(list(made.values()), directions), strict=True))
    return [_space_record(session, found, more, agreed[more]) for more in worse]


def _directions(session: Session) -> dict[str, Floats]:
    """The share of each area and of each tier, as weights of a siting."""
    case, shape = session.cube.case, session.cube.shape
    allowed = session.cube.free.allowed
    directions: dict[str, Floats] = {}
    for a, area in enumerate(case.inputs.areas):
        if allowed[a].any():
            directions[area] = np.repeat(np.eye(shape[0])[a], shape[1])
    if shape[1] > 1:
        for j, tier in enumerate(case.tiers):
            if allowed[:, j].any():
                directions[tier] = np.tile(np.eye(shape[1])[j], shape[0])
    return directions


def _space_record(session: Session, found: Found, more: float, made: Space) -> Record:
    """The least and the most share of each area and tier among plans that are at most so many billion yen worse."""
    case = session.cube.case
    ranges = {
        label: {
            "least_outer": number(low.outer),
            "least": low.inner,
            "most": high.inner,
            "most_outer": number(high.outer),
            "settled": max(low.inner - low.outer, high.outer - high.inner) <= SETTLED,
        }
        for label, (low, high) in made.ends.items()
    }
    plans = [
        {"value": float(made.values[n]), "x": siting_record(session, made.points[n])["x"]}
        for n in different(made.points, PLANS)
    ]
    must = [label for label in case.inputs.areas if label in made.ends and made.ends[label][0].outer > 1e-6]
    never = [label for label in case.inputs.areas if label in made.ends and made.ends[label][1].outer < 1e-6]
    return {
        "percent": 100 * more / abs(found.value),
        "billion_yen": more,
        "limit": made.limit,
        "ranges": ranges,
        "must_have": must,
        "never": never,
        "interchangeable": interchangeable(made.points, case.inputs.areas),
        "plans": plans,
        "evaluations": made.evaluated,
    }


def interchangeable(points: Floats, areas: Sequence[str]) -> list[list[str]]:
    """Pairs of areas of which some plans (points, A * J) have the one without the other, and some the other way round."""
    used = points.reshape(len(points), len(areas), -1).sum(axis=2) > USED
    only = used[:, :, None] & ~used[:, None, :]
    either = only.any(axis=0)
    return [[areas[a], areas[b]] for a, b in combinations(range(len(areas)), 2) if either[a, b] and either[b, a]]
