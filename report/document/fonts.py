"""Have Japanese glyphs on a machine without any: the IPAex Gothic font that a Python package carries.

IPA Font License 1.0; embedding in documents is allowed, and a subset is embedded in pages and PDF. Figures hold paths.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib import font_manager

from report.document.language import Language
from report.outcomes import CubeContentError

NAME: Final = "IPAexGothic"
MISSING: Final = (
    "the packages for documents are not installed, found no {}; expected: pip install -c constraints.txt -e '.[report]'"
)


def font_file() -> Path:
    """
    Return the font file.

    Raises
    ------
    CubeContentError
        If the package that carries it is not installed.
    """
    # found without importing the package, which would change matplotlib's settings for everybody
    spec = find_spec("matplotlib_fontja")
    folder = Path(str(spec.origin)).parent if spec else None
    if folder is None or not (folder / "fonts" / "ipaexg.ttf").exists():
        raise CubeContentError(MISSING.format("matplotlib-fontja"))
    return folder / "fonts" / "ipaexg.ttf"


@contextmanager
def drawing(language: Language) -> Iterator[None]:
    """Draw figures with glyphs for a language; what is drawn inside keeps them."""
    path = str(font_file())
    if NAME not in {entry.name for entry in font_manager.fontManager.ttflist}:
        font_manager.fontManager.addfont(path)
    families = [NAME, "DejaVu Sans"] if language == "ja" else ["DejaVu Sans", NAME]
    with mpl.rc_context(
        {"font.family": families, "axes.unicode_minus": language == "en", "figure.max_open_warning": 0}
    ):
        yield


def embedded(text: str) -> str:
    """Return the font with the non-Latin glyphs of a text alone, as base64 of WOFF."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options()
    options.flavor = "woff"
    options.notdef_outline = True
    options.layout_features = []
    options.drop_tables += ["FFTM"]
    with TTFont(str(font_file()), recalcTimestamp=False) as font:
        cut = subset.Subsetter(options)
        cut.populate(text="".join(sorted({letter for letter in text if ord(letter) > 0x2000})) + " ")
        cut.subset(font)
        font.flavor = "woff"
        buffer = io.BytesIO()
        font.save(buffer, reorderTables=False)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def page_file(name: str) -> str:
    """Return a text file of this package."""
    return files("report.document").joinpath(name).read_text(encoding="utf-8")
