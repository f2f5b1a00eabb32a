"""Write what the next unit is worth: a GW of load by area, a GW of line, a point of APN adoption, from the duals."""

from __future__ import annotations

import numpy as np

from report.document.language import Words, number
from report.document.material import Material
from report.document.parts import Cell, Chart, Section, Sentence, Table
from report.document.plotting import canvas, styles
from report.estimators import Floats
from report.intervals import mean_interval
from report.outcomes import outcome

LEVELS = (0.1, 0.5, 0.9)
LEAST = 1e-6  # billion yen: less is rounding
HEADS = ("10 %", ("median", "中央値"), "90 %")


def per_gigawatt(words: Words) -> str:
    """Name the unit of a value of capacity."""
    return words("billion yen per GW-year", "億円/GW年")


def values_over_draws(material: Material, name: str, configuration: str) -> Floats | None:
    """Return an outcome of a configuration over its finished draws (draws, ...); None where there is nothing."""
    if name not in material.cube.data_vars:
        return None
    values = outcome(material.cube, name).sel(configuration=configuration).to_numpy()
    kept = values[np.isfinite(material.futures.column("total_cost", configuration))]
    return np.asarray(kept, dtype=np.float64) if len(kept) else None


def quantiles_over_draws(material: Material, name: str, configuration: str) -> Floats | None:
    """Return the 10, 50 and 90 % points over finished draws of an outcome by area, ..., (3, ...); None without it."""
    kept = values_over_draws(material, name, configuration)
    return None if kept is None else np.asarray(np.quantile(kept, LEVELS, axis=0))


def _told(material: Material) -> list[str]:
    """Return the configurations with a finished draw, plans first."""
    names = [*material.futures.rivals, *material.futures.free]
    return [name for name in names if np.isfinite(material.futures.column("total_cost", name)).any()]


def _row(material: Material, name: str, values: Floats) -> list[Cell]:
    """Return quantiles and mean, with its interval where there is one, of values over the finished draws of a configuration."""
    words, futures = material.words, material.futures
    finished = np.isfinite(futures.column("total_cost", name))
    whole = np.full(futures.n, np.nan)
    whole[finished] = values
    told = mean_interval(futures.sample(whole))
    mean = words.amount(told.estimate)
    if not np.isnan(told.low):
        mean += f" [{words.amount(told.low)}, {words.amount(told.high)}]"
    ends = [float(each) for each in np.quantile(values, LEVELS)]
    return [*(Cell(words.amount(each), each) for each in ends), Cell(mean, told.estimate)]


def _heads(words: Words, first: str, *more: str) -> list[str]:
    found = [head if isinstance(head, str) else words(*head) for head in HEADS]
    return [first, *found, words("mean", "平均"), *more]


def _lines(material: Material) -> list[Table | Chart]:
    words, plan = material.words, material.plan
    values = values_over_draws(material, "line_value", plan)
    if values is None:
        return _hours(material)
    lines = [str(line) for line in material.cube["line"].to_numpy()]
    full = values_over_draws(material, "congested_hours", plan)
    rows: list[list[Cell | str]] = []
    for at, line in enumerate(lines):
        positive = float((values[:, at] > LEAST).mean())
        row: list[Cell | str] = [Cell(words.line(line), line), *_row(material, plan, values[:, at])]
        row.append(Cell(words.share(positive), positive))
        if full is not None:
            there = material.where_built(line, plan)
            hours = float(full[:, at].mean() if there is None else full[there, at].mean() if there.any() else np.nan)
            row.append(Cell(number(hours), hours))
        rows.append(row)
    heads = _heads(words, words("line", "連系線"), words("futures above 0", "0を上回る将来"))
    heads += [words("hours full, mean where built", "満杯の時間（建設された将来の平均）")] if full is not None else []
    caption = words(
        f"What one more GW of a line, in both directions, would spare in the yearly cost of dispatch under {material.shown(plan)} "
        f"[{per_gigawatt(words)}], over {len(values):,} futures. The line itself is not paid for in it.",
        f"連系線を両方向に1GW増強した場合の年間給電費用の低減（「{material.shown(plan)}」、{len(values):,}通りの将来）［{per_gigawatt(words)}］。"
        "増強費用は含まない。",
    )
    return [_whiskers(material, lines), Table("line_value", caption, heads, rows), _by_configuration(material, lines)]


def _whiskers(material: Material, lines: list[str]) -> Chart:
    words, names = material.words, _told(material)
    figure, (axes,) = canvas(1.2 + 0.42 * len(lines))
    style = styles(material.futures.names)
    for at, name in enumerate(names):
        told = quantiles_over_draws(material, "line_value", name)
        assert told is not None  # it has finished draws
        low, middle, high = told * words.scale
        place = np.arange(len(lines)) + 0.72 * ((at + 0.5) / len(names) - 0.5)
        colour = str(style[name]["color"])
        axes.hlines(place, low, high, color=colour, linewidth=1.6)
        axes.plot(middle, place, "o", color=colour, markersize=3.2, label=material.shown(name))
    axes.set_yticks(range(len(lines)), [words.line(line) for line in lines], fontsize=8)
    axes.set_ylim(len(lines) - 0.5, -0.5)
    # Most lines are worth little and a few much: linear up to a billion yen, then by powers of ten.
    axes.set_xscale("symlog", linthresh=words.scale, linscale=0.6)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel(f"{words('value of one more GW', '1GW増強の価値')} [{per_gigawatt(words)}]")
    axes.grid(axis="x", linewidth=0.4, alpha=0.5)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    caption = words(
        f"The value of one more GW of each line by configuration: median and 10 to 90 % of futures. The axis is linear up to "
        f"{words.amount(1.0)} and logarithmic beyond.",
        f"連系線1GW増強の価値（案別、点は中央値、線は将来の10～90％）。横軸は{words.amount(1.0)}まで線形、以降は対数。",
    )
    return Chart("line_values", caption, figure)


def _by_configuration(material: Material, lines: list[str]) -> Table:
    words, names = material.words, _told(material)
    told = {name: quantiles_over_draws(material, "line_value", name) for name in names}
    rows: list[list[Cell | str]] = []
    for at, line in enumerate(lines):
        row: list[Cell | str] = [Cell(words.line(line), line)]
        for name in names:
            found = told[name]
            assert found is not None
            low, middle, high = (float(each) for each in found[:, at])
            row.append(Cell(f"{words.amount(middle)}\n({words.amount(low)}–{words.amount(high)})", middle))
        rows.append(row)
    caption = words(
        f"The same by configuration: median and, in brackets, 10 to 90 % of futures [{per_gigawatt(words)}].",
        f"同じ値の案別の中央値と、括弧内に将来の10～90％［{per_gigawatt(words)}］。",
    )
    return Table(
        "line_value_by_configuration",
        caption,
        [words("line", "連系線"), *(material.shown(name) for name in names)],
        rows,
    )


def _hours(material: Material) -> list[Table | Chart]:
    """Return hours of congestion in place of values, for a cube made before these were kept."""
    words = material.words
    hours = quantiles_over_draws(material, "congested_hours", material.plan)
    if hours is None:
        return []
    rows = [
        [
            Cell(words.line(str(line)), str(line)),
            *(Cell(number(float(hours[q, at])), float(hours[q, at])) for q in range(3)),
        ]
        for at, line in enumerate(material.cube["line"].to_numpy())
    ]
    caption = words(
        "Hours a year in which a line is full. This cube was made before values of lines were kept, so that hours stand for them.",
        "連系線が満杯となる年間時間。連系線の価値を保存する前に作られたキューブのため、時間で示す。",
    )
    return [Table("congested_hours", caption, _heads(words, words("line", "連系線"))[:4], rows)]


def _areas(material: Material) -> list[Table | Chart]:
    words, plan = material.words, material.plan
    values = values_over_draws(material, "siting_value", plan)
    if values is None:
        return []
    rows: list[list[Cell | str]] = [
        [Cell(words.area(str(area)), str(area)), *_row(material, plan, values[:, at])]
        for at, area in enumerate(material.cube["area"].to_numpy())
    ]
    caption = words(
        f"What one more GW of mean load would add to the cost of dispatch, by area, from the duals of {material.shown(plan)} "
        f"[{per_gigawatt(words)}]. Buildings, sites and network are not in it.",
        f"データセンター負荷を1GW増やしたときの給電費用の増分、エリア別（「{material.shown(plan)}」の双対変数による）［{per_gigawatt(words)}］。"
        "建設・サイト・通信の費用は含まない。",
    )
    return [Table("next_gigawatt", caption, _heads(words, words("area", "エリア")), rows)]


def _apn(material: Material) -> list[Table | Chart]:
    words = material.words
    rows: list[list[Cell | str]] = []
    for name in _told(material):
        values = values_over_draws(material, "apn_value", name)
        if values is not None:
            rows.append([Cell(material.shown(name), name), *_row(material, name, values)])
    if not rows:
        return []
    unit = words("billion yen per year and percentage point", "億円/年・ポイント")
    caption = words(
        f"What one more percentage point of APN adoption would spare, sites as they stand [{unit}]: work that may move between "
        "areas, and work that meets its latency limit further away. The network itself is not paid for in it.",
        f"APN普及率が1ポイント上がった場合の費用低減（立地は固定）［{unit}］。地域間で移せる負荷と、遠方でも遅延要件を満たせる負荷による。"
        "通信網の費用は含まない。",
    )
    return [Table("apn_value", caption, _heads(words, words("configuration", "案")), rows)]


def best_line(material: Material) -> tuple[str, float, float, float] | None:
    """Return the line whose next GW spares most on average under the plan: name, mean, 10 and 90 %; None without values."""
    values = values_over_draws(material, "line_value", material.plan)
    if values is None or not values.shape[1]:
        return None
    at = int(values.mean(axis=0).argmax())
    low, high = (float(each) for each in np.quantile(values[:, at], [0.1, 0.9]))
    return str(material.cube["line"].to_numpy()[at]), float(values[:, at].mean()), low, high


def sentences(material: Material) -> list[Sentence]:
    """Say the values in words, with what they are to be held against."""
    words, plan = material.words, material.plan
    found = []
    line = best_line(material)
    if line is not None:
        name, mean, low, high = line
        numbers = {"line_mean": mean, "line_low": low, "line_high": high}
        there, parts = material.where_built(name, plan), ""
        if there is not None and there.any() and not there.all():
            values = values_over_draws(material, "line_value", plan)
            assert values is not None  # it has a best line
            at = [str(each) for each in material.cube["line"].to_numpy()].index(name)
            with_it, first = float(values[there, at].mean()), float(values[~there, at].mean())
            numbers |= {"line_where_built": with_it, "line_where_not": first}
            parts = words(
                f"; {words.amount(with_it)} where it stands already, {words.amount(first)} as its first where it does not",
                f"；既設の将来では{words.amount(with_it)}、未設の将来では最初の1GWとして{words.amount(first)}",
            )
        found.append(
            Sentence(
                words(
                    f"One more GW of line is worth most on {words.line(name)}: at most {words.money(mean)} a year on average "
                    f"under {material.shown(plan)} (in 80 % of futures {words.amount(low)} to {words.amount(high)}{parts}), without the "
                    "cost of the line.",
                    f"連系線の1GW増強の価値が最も高いのは{words.line(name)}で、「{material.shown(plan)}」では平均で最大年{words.money(mean)}"
                    f"（80％の将来で{words.amount(low)}～{words.money(high)}{parts}）。増強費用は含まない。",
                ),
                numbers,
            )
        )
    values = values_over_draws(material, "siting_value", plan)
    if values is not None:
        means = values.mean(axis=0)
        cheap, dear = int(means.argmin()), int(means.argmax())
        areas = [words.area(str(area)) for area in material.cube["area"].to_numpy()]
        gap, often = float(means[dear] - means[cheap]), float((values[:, cheap] < values[:, dear]).mean())
        found.append(
            Sentence(
                words(
                    f"The next GW of load costs the power system least in {areas[cheap]} and most in {areas[dear]}, on average "
                    f"{words.money(gap)} a year apart; {areas[cheap]} is the cheaper of the two in {words.share(often)} of futures.",
                    f"次の1GWの負荷による給電費用は{areas[cheap]}で最も小さく{areas[dear]}で最も大きい。差は平均年{words.money(gap)}で、"
                    f"{words.share(often)}の将来で{areas[cheap]}の方が安い。",
                ),
                {"area_gap": gap, "area_often": often},
            )
        )
    apn = values_over_draws(material, "apn_value", plan)
    if apn is not None:
        mean = float(apn.mean())
        found.append(
            Sentence(
                words(
                    f"One more percentage point of APN adoption would spare {words.money(mean)} a year on average.",
                    f"APN普及率が1ポイント上がると、平均で年{words.money(mean)}の低減となる。",
                ),
                {"apn_mean": mean},
            )
        )
    return found


def margins(material: Material) -> Section:
    """Return the section on values at the margin."""
    words = material.words
    notes = [
        words(
            "Duals: each tells of a small step with all else as it stands; a whole GW spares at most that of a line, since "
            "its value falls as it grows. Values of several lines at once do not quite add up. A line that is not built in a "
            "future counts there with what its first GW would spare.",
            "双対変数は他を固定した小さな変化の価値を示す。容量が増えるほど価値は下がるため、1GWの増強ではこれが上限となる。複数の連系線の価値は"
            "単純には足せない。建設されない将来では最初の1GWの価値を用いる。",
        )
    ]
    told = sentences(material)
    shown = [*_lines(material), *_areas(material), *_apn(material)]
    if not shown:
        told, notes = (
            [],
            [words("This cube keeps no values at the margin.", "このキューブには限界価値が保存されていない。")],
        )
    title = words("What the next GW is worth", "次の1GWの価値")
    return Section("margins", title, told, shown, notes)
