"""Put a document together from a cube: all sections, drawn with fonts for its language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import xarray as xr

from report.document.breaking import breaking
from report.document.decided import Record
from report.document.drivers import drivers
from report.document.first_page import first_page
from report.document.fonts import drawing
from report.document.frame import frame, limits, provenance, sample
from report.document.margins import margins
from report.document.material import Material, Wanted
from report.document.money import money
from report.document.parts import Chart, Section, Table
from report.document.regrets import regrets
from report.document.robust import robust
from report.document.scores import scores
from report.document.siting import siting
from report.outcomes import attribute

SECTIONS: Final[tuple[Callable[[Material], Section], ...]] = (
    *(
        first_page,
        scores,
        money,
        regrets,
        breaking,
        drivers,
        siting,
        robust,
        margins,
        sample,
        frame,
        limits,
        provenance,
    ),
)


@dataclass(frozen=True)
class Document:
    """A document before it takes a form.

    Attributes
    ----------
    title, subtitle : str
        At the top.
    sections : list of Section
        In order; the first is the first page.
    material : Material
        What it was written from.
    """

    title: str
    subtitle: str
    sections: list[Section]
    material: Material

    @property
    def charts(self) -> list[Chart]:
        """All figures, in order."""
        return [each for section in self.sections for each in section.shown if isinstance(each, Chart)]

    @property
    def tables(self) -> list[Table]:
        """All tables, in order."""
        return [each for section in self.sections for each in section.shown if isinstance(each, Table)]


def build(cube: xr.Dataset, wanted: Wanted, decided: Sequence[Record] = ()) -> Document:
    """
    Write the document of a cube.

    Parameters
    ----------
    cube : xr.Dataset
        As opened, with its provenance.
    wanted : Wanted
        What a user chose.
    decided : sequence of mapping
        What ``wattbit optimise`` left in the store, as docs/optimise.md says.

    Raises
    ------
    CubeContentError
        If the cube lacks what it is written from, or a wish names something unknown.
    """
    with drawing(wanted.language):
        material = Material(cube, wanted, decided)
        sections = [section(material) for section in SECTIONS]
    words, futures = material.words, material.futures
    ready = f"{futures.n - futures.not_run:,}"
    run, ran = (f"{ready} of ", f"（うち計算済み{ready}通り）") if futures.not_run else ("", "")
    subtitle = words(
        f"Study {attribute(cube, 'study_name')}: {run}{futures.n:,} futures, {len(futures.fixed)} plans. Marks beside names: F failed "
        "draws, L load lost, H grid headroom exceeded, S site rules broken, * sited anew in every future.",
        f"スタディ{attribute(cube, 'study_name')}：{futures.n:,}通りの将来{ran}、{len(futures.fixed)}案。名称の印：F＝解けない将来、"
        "L＝供給支障、H＝系統空容量超過、S＝立地規則違反、*＝将来ごとに立地。",
    )
    title = words("Where should data centres stand? A robustness report", "データセンターの立地：頑健性報告書")
    return Document(title, subtitle, sections, material)
