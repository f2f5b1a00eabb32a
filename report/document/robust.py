"""Write the one siting that is best over all draws: where it stands, what it is worth, how free the choice still is."""

from __future__ import annotations

from report.document.decided import Record, comparable, estimate, in_order, measure_name, with_space
from report.document.language import number
from report.document.material import Material
from report.document.parts import Chart, Section, Sentence, Table
from report.document.robust_shown import (
    against_table,
    frontier_chart,
    goals_table,
    near_chart,
    near_table,
    savings_chart,
    siting_table,
)


def robust(material: Material) -> Section:
    """Return the section on the siting decided for all draws."""
    words = material.words
    title = words("The one robust siting", "全将来に対する一つの立地")
    if not material.decided:
        command = f"wattbit optimise {material.wanted.store} --measure mean --near 1,2,5"
        text = words(
            f"No siting has been computed for all futures at once; this does it, and the next report tells of it: {command}",
            f"全将来に対して一つの立地を求める計算はまだない。次のコマンドで計算すると、次回の報告書に掲載される：{command}",
        )
        return Section("robust_siting", title, [Sentence(text)])
    records = in_order(material.decided)
    record, beside = records[0], comparable(records)
    shown: list[Table | Chart] = [siting_table(material, record), goals_table(material, beside)]
    shown += [frontier_chart(material, beside), savings_chart(material, record), against_table(material, record)]
    spacious = with_space(records)
    shown += [near_chart(material, spacious), near_table(material, spacious)] if spacious else []
    notes = [
        words(
            "Shares of the national load, decided before the future is known; the number of sites follows in each future. "
            "The bound is proven for the model and these draws. Ranges: every plan at most so much worse lies within the outer "
            "ends; plans at the inner ends were computed. Regret in this chapter is against each future's own optimum, elsewhere against "
            "the best named plan.",
            "全国需要に対する比率を将来が分かる前に決め、拠点数は将来ごとに定まる。下界はこのモデルと標本について証明されたもの。範囲の外端を超える案はなく、"
            "内端の案は実際に計算されたものである。本章の後悔は将来ごとの最適立地に対するもので、他の章では最良の既存案に対するものである。",
        )
    ]
    if len(beside) < len(records):
        left = len(records) - len(beside)
        notes.append(
            words(
                f"{left} further answers are left out: of other draws or areas, or of the same goal with a wider gap.",
                f"対象の将来・エリアが異なる、または同じ目的で差の大きい{left}件は省いた。",
            )
        )
    return Section("robust_siting", title, sentences(material), shown, notes)


def best_named(record: Record) -> tuple[str, Record] | None:
    """Return the named plan that the siting saves least against, and what is told of it; None where there is none."""
    known = {name: each for name, each in record["against"].items() if each["better_in"] is not None}
    if not known:
        return None
    name = min(known, key=lambda each: estimate(known[each]["mean_saving"]))
    return name, known[name]


def verdict(material: Material) -> list[Sentence]:
    """Say in one or two sentences what the siting is and what it saves; nothing where none was computed."""
    if not material.decided:
        return []
    words, record = material.words, in_order(material.decided)[0]
    shares = {area: sum(tiers.values()) for area, tiers in record["x"].items()}
    first = sorted(shares, key=lambda area: -shares[area])[:4]
    parts = [
        words(f"{words.share(shares[a])} in {words.area(a)}", f"{words.area(a)}に{words.share(shares[a])}")
        for a in first
    ]
    told = words.listed(
        [*parts, words("the rest elsewhere", "残りを他のエリアに")] if len(shares) > len(first) else parts
    )
    # Elsewhere in the report regret is against the best named plan, which is a far lower bar.
    of_regret = "regret" in record["measure"]
    against = words(", against each future's own optimum", "（将来ごとの最適立地との差）") if of_regret else ""
    found = [
        Sentence(
            words(
                f"The one siting of least {measure_name(words, record)} over {record['draws']:,} futures puts its load as follows: {told}; "
                f"it comes to {words.money(record['value'])} a year{against}, and no siting is below {words.money(record['lower_bound'])} "
                f"(gap {100 * record['gap']:.2f} %).",
                f"{record['draws']:,}通りの将来に対し{measure_name(words, record)}を最小にする一つの立地は、需要を{told}置く。"
                f"その値は年{words.money(record['value'])}{against}で、どの立地も年{words.money(record['lower_bound'])}を下回らない"
                f"（差{100 * record['gap']:.2f}％）。",
            ),
            {
                "robust_draws": record["draws"],
                "robust_value": record["value"],
                "robust_bound": record["lower_bound"],
                "robust_gap": record["gap"],
                **{f"robust_share_{area}": shares[area] for area in first},
            },
        )
    ]
    best = best_named(record)
    if best is not None:
        name, beside = best
        saving, loss = beside["mean_saving"], float(beside["largest_loss"])
        worst = (
            words(f"at worst it costs {words.money(loss)} more", f"最も不利な将来では年{words.money(loss)}高くつく")
            if loss > 0
            else words("in none of these is it dearer", "その中に高くなる将来はない")
        )
        found.append(
            Sentence(
                words(
                    f"Beside the best named plan, {material.shown(name)}, it saves {words.money(estimate(saving))} a year on "
                    f"average{_ends(material, saving)} and is cheaper in {words.share(beside['better_in'])} of the futures it was decided for; {worst}.",
                    f"既存案で最良の「{material.shown(name)}」と比べ年平均{words.money(estimate(saving))}"
                    f"{_ends(material, saving)}を節約し、立地を求めた将来の{words.share(beside['better_in'])}で安い。{worst}。",
                ),
                {"robust_saving": estimate(saving), "robust_better": beside["better_in"], "robust_loss": loss},
            )
        )
        found += _on_fresh(material, record, name)
    return found


def _on_fresh(material: Material, record: Record, name: str) -> list[Sentence]:
    """Hold it beside the same plan on futures that it was not decided for, where there are any."""
    words, fresh = material.words, record["fresh_draws"]
    told = fresh["against"].get(name) if fresh else None
    if told is None or told["better_in"] is None:
        return []
    mean, better, loss = estimate(told["mean_saving"]), float(told["better_in"]), float(told["largest_loss"])
    worst = (
        words(f"; at worst it costs {words.money(loss)} more", f"、最も不利な将来では年{words.money(loss)}高くつく")
        if loss > 0
        else ""
    )
    return [
        Sentence(
            words(
                f"On {fresh['draws']:,} other futures it saves {words.money(mean)} a year on average and is cheaper in "
                f"{words.share(better)}{worst}.",
                f"計算に用いなかった{fresh['draws']:,}通りの将来では年平均{words.money(mean)}を節約し、{words.share(better)}で安い{worst}。",
            ),
            {"fresh_saving": mean, "fresh_better": better, "fresh_loss": loss},
        )
    ]


def sentences(material: Material) -> list[Sentence]:
    """Say what the siting is, what knowing more would be worth, and what good plans share."""
    words, record = material.words, in_order(material.decided)[0]
    found = verdict(material)
    if record["information"]:
        worth = estimate(record["information"])
        found.append(
            Sentence(
                words(
                    f"To know the future before siting would be worth {words.money(worth)} a year (EVPI){_ends(material, record['information'])}.",
                    f"立地前に将来が分かることの価値（EVPI）は年{words.money(worth)}{_ends(material, record['information'])}である。",
                ),
                {"evpi": worth},
            )
        )
    if record["stochastic_solution"]:
        vss = record["stochastic_solution"]["vss"]
        found.append(
            Sentence(
                words(
                    f"To decide for all futures and not for the mean one saves {words.money(estimate(vss))} a year "
                    f"(VSS){_ends(material, vss)}.",
                    f"平均的な将来ではなく全将来に対して決めることの価値（VSS）は年{words.money(estimate(vss))}{_ends(material, vss)}である。",
                ),
                {"vss": estimate(vss)},
            )
        )
    if record["robustness"] and record["robustness"]["price_of_robustness"] is not None:
        price, given = record["robustness"]["price_of_robustness"], record["robustness"]["mean_cost_given_up"]
        found.append(
            Sentence(
                words(
                    f"Against the siting of least mean cost it gives up {words.money(estimate(given))} a year on average, "
                    f"{number(price)} for each unit of {record['robustness']['tail']} gained.",
                    f"平均費用最小の立地に比べ平均で年{words.money(estimate(given))}高く、{record['robustness']['tail']}の改善1単位あたり{number(price)}である。",
                ),
                {"given_up": estimate(given), "price": price},
            )
        )
    if record["fresh_draws"]:
        fresh = record["fresh_draws"]
        mean = estimate(fresh["measures"]["mean"])
        found.append(
            Sentence(
                words(
                    f"On {fresh['draws']:,} futures that it was not decided for its mean cost is {words.money(mean)} a year.",
                    f"計算に用いなかった{fresh['draws']:,}通りの将来での平均費用は年{words.money(mean)}である。",
                ),
                {"fresh_draws": fresh["draws"], "fresh_mean": mean},
            )
        )
    if record["replications"] and record["replications"]["gap_at_most"] is not None:
        most = float(record["replications"]["gap_at_most"])
        found.append(
            Sentence(
                words(
                    f"With 95 % confidence its mean cost is at most {words.money(most)} a year above the least there is for endlessly many futures.",
                    f"無限に多い将来での最小平均費用との差は、95％の信頼度で年{words.money(most)}以下である。",
                ),
                {"gap_at_most": most},
            )
        )
    spacious = with_space(in_order(material.decided))
    return found + ([_freedom(material, spacious, space) for space in spacious["near"]] if spacious else [])


def _freedom(material: Material, record: Record, space: Record) -> Sentence:
    words = material.words
    over = words(
        f"in {measure_name(words, record)} over {record['draws']:,} futures",
        f"{record['draws']:,}通りの将来の{measure_name(words, record)}が",
    )
    must = words.listed([words.area(area) for area in space["must_have"]])
    never = words.listed([words.area(area) for area in space["never"]])
    percent = float(space["percent"])
    none = f"No area is proven to be in every plan at most {percent:.3g} % worse {over}"
    return Sentence(
        words(
            (f"Every plan at most {percent:.3g} % worse {over} uses {must}" if must else none)
            + f"; {f'none uses {never}' if never else 'no area is ruled out'}.",
            f"{over}最良から{percent:.3g}％以内の案は{f'すべて{must}を使う' if must else 'すべてが使うと証明されたエリアがない'}。"
            f"{f'{never}を使う案はない' if never else '除外されるエリアはない'}。",
        ),
        {
            "percent": percent,
            "space_draws": record["draws"],
            "must": len(space["must_have"]),
            "never": len(space["never"]),
        },
    )


def _ends(material: Material, found: Record | None) -> str:
    words = material.words
    if found is None or found["low"] is None or found["high"] is None:
        return ""
    low, high = words.amount(float(found["low"])), words.amount(float(found["high"]))
    return words(f" (95 % interval {low} to {high})", f"（95％信頼区間 {low}～{high}）")
